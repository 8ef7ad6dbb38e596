import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DataPlaneFault, FAULTS } from '../../local/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/ThrottlingException-0123456789';
const TLS_FOLDER = join(import.meta.dirname, '../fixtures/tls');
const tlsFile = (name: string) => readFileSync(join(TLS_FOLDER, name), 'utf8');
const CANARY = 'prompt-canary-3141';

let puppet: PuppetAgent;
/** Commits at the first text or an error. */
let lazy: System;
/** Commits at once: every failure is in-band. */
let eager: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  const start = (environment: Record<string, string> = {}) =>
    startSystem({
      runtimes: [
        { id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target },
        { id: 'http', name: 'HttpAgent', runtimeArn, target: puppet.target, transport: 'http' },
      ],
      // Over wss:, as in AWS.
      dataPlane: { tls: { key: tlsFile('server-key.pem'), cert: tlsFile('server.pem') } },
      environment: {
        NODE_EXTRA_CA_CERTS: join(TLS_FOLDER, 'ca.pem'),
        MAX_RETRIES: '2',
        RETRY_BASE_MS: '5',
        POOL_MAX_CONNECTIONS: '0',
        RETRY_MAX_MS: '20',
        CONNECT_TIMEOUT_MS: '200',
        HANDSHAKE_TIMEOUT_MS: '150',
        FIRST_CHUNK_TIMEOUT_MS: '250',
        IDLE_TIMEOUT_MS: '250',
        MAX_MESSAGE_BYTES: '60000',
        ...environment,
      },
    });
  [lazy, eager] = await Promise.all([start(), start({ COMMIT_AFTER_MS: '0' })]);
});
afterAll(async () => {
  await Promise.all([lazy.close(), eager.close()]);
  await puppet.close();
});

interface Row {
  fault?: DataPlaneFault;
  prompt?: string;
  agentId?: string;
  status: number;
  code: string;
  promptSent?: boolean;
  retryAfter?: number;
  /** How often the data plane was asked. */
  attempts?: number;
  /** Text that the caller has before the failure. */
  text?: string;
  details?: object;
  message?: RegExp;
}

const { refuse } = FAULTS;
const ok = script({ send: CANARY }, { send: '[DONE]' });
const say = (...steps: Parameters<typeof script>) => script({ send: 'some ' }, { send: 'text' }, ...steps);
const json = (value: unknown) => JSON.stringify(value);

const ROWS: Record<string, Row> = {
  // The upgrade is refused: reference table of handshake answers, by exception name.
  ValidationException: {
    fault: refuse(400, 'ValidationException:', 'bad session', {
      body: {
        reason: 'FieldValidationFailed',
        fieldList: [{ name: 'runtimeSessionId', message: 'too short' }],
      },
    }),
    status: 400,
    code: 'BadRequest',
    details: { reason: 'FieldValidationFailed', fields: ['runtimeSessionId'] },
  },
  UnauthorizedException: {
    fault: refuse(401, 'UnauthorizedException'),
    status: 401,
    code: 'Unauthenticated',
  },
  'an expired token': {
    fault: refuse(403, 'ExpiredTokenException', 'The security token included in the request is expired'),
    status: 401,
    code: 'Unauthenticated',
  },
  'a refused signature': {
    fault: refuse(
      403,
      'AccessDeniedException',
      'The request signature we calculated does not match\n\nThe Canonical String x',
    ),
    status: 401,
    code: 'Unauthenticated',
  },
  'a missing permission': {
    fault: refuse(
      403,
      'AccessDeniedException',
      `User: arn:aws:sts::1:assumed-role/ThrottlingException/x is not authorized: The request signature we calculated`,
    ),
    status: 403,
    code: 'AccessDenied',
    details: { upstreamRequestId: 'fault-request-id' },
  },
  'a runtime with JWT authorisation': {
    fault: refuse(
      403,
      'AccessDeniedException',
      'Authorization method mismatch. The agent is configured for OAuth',
    ),
    status: 403,
    code: 'AccessDenied',
    details: { hint: expect.stringContaining('IAM') },
  },
  ResourceNotFoundException: {
    fault: refuse(404, 'ResourceNotFoundException'),
    status: 404,
    code: 'AgentNotFound',
  },
  ServiceQuotaExceededException: {
    fault: refuse(402, 'ServiceQuotaExceededException'),
    status: 503,
    code: 'AgentUnavailable',
    retryAfter: 60,
  },
  ConflictException: { fault: refuse(409, 'ConflictException'), status: 502, code: 'AgentFailed' },
  RetryableConflictException: {
    fault: refuse(409, 'RetryableConflictException'),
    status: 503,
    code: 'AgentUnavailable',
    retryAfter: 5,
    attempts: 3,
  },
  RuntimeClientError: {
    fault: refuse(424, 'RuntimeClientError', 'Received error code 403 from runtime'),
    status: 502,
    code: 'AgentFailed',
    details: { hint: expect.stringContaining('docs/agents.md') },
  },
  'RuntimeClientError with another status': {
    fault: refuse(403, 'RuntimeClientError'),
    status: 502,
    code: 'AgentFailed',
  },
  ThrottlingException: {
    fault: refuse(429, 'ThrottlingException'),
    status: 429,
    code: 'Throttled',
    retryAfter: 1,
    attempts: 3,
  },
  'throttling that asks for a longer pause than ours': {
    fault: refuse(429, 'ThrottlingException', 'slow', { headers: { 'retry-after': '7' } }),
    status: 429,
    code: 'Throttled',
    retryAfter: 7,
    attempts: 1,
  },
  InternalServerException: {
    fault: refuse(500, 'InternalServerException'),
    status: 503,
    code: 'AgentUnavailable',
    retryAfter: 5,
    attempts: 3,
  },
  '502 without a name': {
    fault: refuse(502),
    status: 503,
    code: 'AgentUnavailable',
    retryAfter: 5,
    attempts: 3,
  },
  '503 without a name': {
    fault: refuse(503),
    status: 503,
    code: 'AgentUnavailable',
    retryAfter: 5,
    attempts: 3,
  },
  '504 without a name': { fault: refuse(504), status: 504, code: 'AgentTimeout', retryAfter: 5 },
  '200 instead of 101': { fault: refuse(200), status: 502, code: 'AgentFailed' },
  'a redirect': {
    fault: refuse(307, undefined, 'moved', { headers: { location: 'http://169.254.169.254/' } }),
    status: 502,
    code: 'AgentFailed',
  },
  'an unlisted status': { fault: refuse(418), status: 502, code: 'AgentFailed' },
  'a wrong Sec-WebSocket-Accept': { fault: FAULTS.wrongAccept(), status: 502, code: 'AgentFailed' },
  'an answer that is not HTTP': { fault: FAULTS.garbageUpgrade(), status: 502, code: 'AgentFailed' },
  'a reset during the upgrade': {
    fault: FAULTS.resetUpgrade(),
    status: 503,
    code: 'AgentUnavailable',
    retryAfter: 5,
    attempts: 3,
  },
  'an upgrade without an answer': {
    fault: FAULTS.silentUpgrade(),
    status: 504,
    code: 'AgentTimeout',
    retryAfter: 5,
  },
  'an upgrade answered byte by byte': {
    fault: FAULTS.dripUpgrade(20),
    status: 504,
    code: 'AgentTimeout',
    retryAfter: 5,
  },
  // The prompt is handed over: nothing is retried.
  'silence instead of a first chunk': {
    prompt: script(),
    status: 504,
    code: 'AgentTimeout',
    promptSent: true,
  },
  'silence after text': {
    prompt: say(),
    status: 504,
    code: 'AgentTimeout',
    promptSent: true,
    text: 'some text',
  },
  'an error message': {
    prompt: script({ send: json({ type: 'error', message: 'the tool broke', error_code: 'T1' }) }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    details: { agentError: { type: 'error', code: 'T1', message: 'the tool broke' } },
  },
  'an error message after text': {
    prompt: script(
      { send: json({ chunk: 'half' }) },
      { send: json({ error: 'no\nTraceback (most recent call last)\n x' }) },
    ),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'half',
    details: { agentError: { message: 'no' } },
  },
  'a clean close without an answer': {
    prompt: script({ close: 1000 }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    message: /closed without an answer/,
  },
  'close code 1001': {
    prompt: say({ close: 1001 }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  'close code 1003': {
    prompt: say({ close: 1003 }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  "close code 1008 at the service's limit": {
    prompt: say({ close: 1008, reason: 'Policy violated: Max connection duration of 1 hour is exceeded' }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  "close code 1008 with the agent's reason": {
    prompt: script({ close: 1008, reason: 'not for you' }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    details: { agentError: { code: 1008, message: 'not for you' } },
  },
  'close code 1009': {
    prompt: say({ close: 1009 }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  'close code 1011': {
    prompt: say({ close: 1011, reason: 'Internal server error' }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'some text',
    details: { agentError: { code: 1011, message: 'Internal server error' } },
  },
  'close code 4000': {
    prompt: say({ close: 4000 }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  'no close frame': {
    prompt: say({ sleepMs: 30 }, { drop: true }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  'no close frame before any text': {
    prompt: script({ drop: true }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
  },
  'a reset after text': {
    prompt: say({ sleepMs: 30 }, { reset: true }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  'a message over the limit': {
    prompt: say({ fill: [40_000, 40_000] }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'some text',
    message: /size limit/,
  },
  'bytes that are not UTF-8': {
    prompt: say({ binary: Buffer.from([0x41, 0xff, 0x42]).toString('base64') }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'some text',
    message: /not UTF-8/,
  },
  'a text frame that is not UTF-8': {
    prompt: say({ raw: Buffer.from([0x81, 0x01, 0xff]).toString('base64') }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'some text',
    message: /not UTF-8/,
  },
  'reserved bits': {
    prompt: say({ raw: Buffer.from([0xf1, 0x01, 0x41]).toString('base64') }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'some text',
  },
  'a compressed frame that was not negotiated': {
    prompt: say({ raw: Buffer.from([0xc1, 0x01, 0x41]).toString('base64') }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    text: 'some text',
  },
  'more than 250 frames a second': {
    prompt: script({ send: 'x', times: 400 }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: expect.stringMatching(/^x{200,250}$/) as unknown as string,
  },
  // The http transport: the prompt goes with the request.
  'over http: ThrottlingException': {
    agentId: 'http',
    fault: refuse(429, 'ThrottlingException'),
    status: 429,
    code: 'Throttled',
    promptSent: true,
    attempts: 1,
  },
  'over http: a broken body': {
    agentId: 'http',
    prompt: script({ status: 200 }, { send: 'data: "some text"\n\n' }, { sleepMs: 30 }, { drop: true }),
    status: 502,
    code: 'AgentInterrupted',
    promptSent: true,
    text: 'some text',
  },
  'over http: an error event': {
    agentId: 'http',
    prompt: script({ status: 200 }, { send: 'event: error\ndata: {"error":"no"}\n\n' }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
    details: { agentError: { message: 'no' } },
  },
  'over http: a failing container': {
    agentId: 'http',
    prompt: script({ status: 500 }),
    status: 502,
    code: 'AgentFailed',
    promptSent: true,
  },
};

const ENVIRONMENTS_IDLE = async (system: System) =>
  until(
    () => system.runtime.environments.every(({ state }) => state === 'idle'),
    'the environments are idle',
  );

describe.each(Object.entries(ROWS))('%s', (_name, row) => {
  const { fault, prompt = ok, agentId = 'puppet', status, code, promptSent = false, retryAfter } = row;
  const retryable = retryAfter !== undefined;

  async function drive(system: System, call: (sessionId: string) => Promise<void>): Promise<void> {
    await ENVIRONMENTS_IDLE(system);
    const pid = system.runtime.environments[0]?.pid;
    const sessionId = newSessionId();
    const asked = system.dataPlane.requests.length;
    const logged = system.logs.length;
    system.dataPlane.fault(runtimeArn, fault);

    await call(sessionId);

    system.dataPlane.fault(runtimeArn, undefined);
    await ENVIRONMENTS_IDLE(system);
    if (row.attempts) expect(system.dataPlane.requests.length - asked).toBe(row.attempts);
    // Never twice; exactly once where it was handed over to an agent.
    const received = puppet.prompts.filter((taken) => taken.sessionId === sessionId).length;
    expect(received).toBe(promptSent && !(fault && agentId === 'http') ? 1 : 0);
    // What a stopped process has printed may still be on its way.
    const find = () =>
      system.logs
        .slice(logged)
        .map(({ line }) => JSON.parse(line))
        .find((entry) => entry.outcome === code && entry.level);
    await until(() => find() !== undefined, 'the log has the outcome');
    const summary = find();
    expect(summary).toMatchObject({ code, status, session_id: sessionId, prompt_sent: promptSent });
    expect(['ERROR', 'WARN']).toContain(summary.level);
    for (const secret of [
      CANARY,
      'the tool broke',
      'not for you',
      'local-secret-access-key',
      'local-session-token',
    ]) {
      expect(JSON.stringify(system.logs.slice(logged))).not.toContain(secret);
    }
    // The same process serves on.
    const next = await invokeSse(system.url, { agentId: 'puppet', prompt: ok });
    expect(next.text).toBe(CANARY);
    await ENVIRONMENTS_IDLE(system);
    expect(system.runtime.environments.map((environment) => environment.pid)).toEqual(
      pid ? [pid] : [expect.any(Number)],
    );
    await until(() => system.dataPlane.connections.size === 0, 'no socket is left');
  }

  const publicError = {
    retryable,
    promptSent,
    message: row.message ? expect.stringMatching(row.message) : expect.any(String),
  };

  test('as JSON', async () => {
    await drive(lazy, async (sessionId) => {
      const response = await fetch(`${lazy.url}/api/agents/invoke`, {
        method: 'POST',
        body: json({ agentId, prompt, sessionId }),
      });
      const body = (await response.json()) as Record<string, unknown>;

      expect(response.headers.get('x-session-id')).toBe(sessionId);
      if (row.text !== undefined) {
        expect(response.status).toBe(200);
        expect(body).toMatchObject({ response: row.text, incomplete: true, error: { code, ...publicError } });
        expect(body.error).toMatchObject(row.details ? { details: row.details } : {});
        return;
      }
      expectStatus(response, body, sessionId);
    });
  });

  test('as SSE before the commit point', async () => {
    await drive(lazy, async (sessionId) => {
      const answer = await invokeSse(lazy.url, { agentId, prompt, sessionId });

      if (row.text !== undefined) return expectInBand(answer, sessionId);
      expectStatus(answer, JSON.parse(answer.raw), sessionId);
    });
  });

  test('as SSE after it', async () => {
    await drive(eager, async (sessionId) => {
      expectInBand(await invokeSse(eager.url, { agentId, prompt, sessionId }), sessionId);
    });
  });

  function expectStatus(
    response: { status: number; headers: Headers },
    body: object,
    sessionId: string,
  ): void {
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter === undefined ? null : String(retryAfter));
    expect(response.headers.get('x-session-id')).toBe(sessionId);
    expect(body).toMatchObject({
      error: code,
      requestId: response.headers.get('x-amzn-requestid'),
      ...publicError,
      details: { agentId, sessionId, ...row.details, ...(retryAfter && { retryAfterSeconds: retryAfter }) },
    });
    if (promptSent)
      expect(body).toHaveProperty('message', expect.stringContaining('The agent may have acted'));
    expectNothingLeaks(JSON.stringify(body));
  }

  function expectInBand(answer: Awaited<ReturnType<typeof invokeSse>>, sessionId: string): void {
    expect(answer.status).toBe(200);
    expect(answer.truncated).toBe(false);
    expect(answer.events[0]?.data).toMatchObject({ start: true, sessionId });
    expect(answer.text).toEqual(row.text ?? '');
    expect(answer.last).toMatchObject({
      error: publicError.message,
      code,
      retryable,
      promptSent,
      partial: row.text !== undefined,
      sessionId,
      requestId: answer.headers.get('x-amzn-requestid'),
      ...(row.details && { details: row.details }),
    });
    expectNothingLeaks(JSON.stringify(answer.last));
  }

  function expectNothingLeaks(text: string): void {
    expect(text).not.toMatch(
      /Canonical|assumed-role|Traceback|\.ts:|node_modules|local-secret|local-session-token/,
    );
  }
});
