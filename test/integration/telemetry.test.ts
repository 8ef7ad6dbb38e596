import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { DIMENSIONS, METRIC_NAMESPACE, METRICS, SERVICE_NAME } from '../../lambda/contract.ts';
import { FAILURES_BY_CAUSE, LATEST_ERRORS, LOG_FIELDS } from '../../lib/log-fields.ts';
import { startFunctionUrl } from '../../local/aws/function-url.ts';
import { FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type System, startSystem } from '../../local/system.ts';
import { HOST, testOn } from '../fixtures/host.ts';
import { type PuppetAgent, type Step, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId, until } from '../fixtures/sse.ts';
import { newTrace, startXRayDaemon, type XRayDaemon } from '../fixtures/xray-daemon.ts';
import { fieldOf, parseQuery, runbookQueries } from '../infra/logs-insights.ts';
import { stackOf } from '../infra/support.ts';
import { alarmMetrics, dashboardMetrics } from '../infra/template-metrics.ts';

/** What must be found nowhere: in no log, metric, trace or error. */
const POLICY = 'Policy violated: asks for ';
const CANARIES = {
  prompt: 'canary-of-the-prompt-7731',
  agentText: 'canary-of-the-agent-text-7732',
  agentError: 'canary-of-the-agent-error-7733',
  secretKey: 'canary-of-the-secret-key-773400000000000',
  sessionToken: 'canary-of-the-session-token-7735',
};
const CREDENTIALS = {
  accessKeyId: 'ASIATELEMETRY0000001',
  secretAccessKey: CANARIES.secretKey,
  sessionToken: CANARIES.sessionToken,
};
const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';

/** An EMF document, as far as it is not `_aws`: the targets of its references. */
interface Emf {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: {
      Namespace: string;
      Dimensions: string[][];
      Metrics: { Name: string; Unit: string }[];
    }[];
  };
  [target: string]: unknown;
}

type Line = Record<string, unknown>;

/** One request and everything that it left behind. */
interface Told {
  requestId: string;
  status: number;
  body: string;
  lines: Line[];
  /** All metrics of the request, its cold start included. */
  metrics: Line;
}

let daemon: XRayDaemon;
let puppet: PuppetAgent;
let system: System;
/** Where it is asked: through a Function URL every invocation is sampled, a server has no traces. */
let front: { url: string; close(): Promise<void> };
/** Everything that was asked, by what it was. */
const story: Record<string, Told> = {};
/** What a function leaves behind whose environment is wrong. */
let notStarted: Line[] = [];

/** Steps for the puppet, with the canary beside them; it does not know what a note is. */
const prompt = (...steps: Step[]) => JSON.stringify([{ note: CANARIES.prompt }, ...steps]);
const answer = prompt({ send: CANARIES.agentText }, { send: '[DONE]' });
const parse = (line: string) => JSON.parse(line) as Line;
const isEmf = (line: Line): line is Emf => '_aws' in line;

async function tell(name: string, path: string, init: RequestInit = {}): Promise<Told> {
  const idle = () => system.runtime.environments.every(({ state }) => state === 'idle');
  await until(idle, 'the environment is idle');
  const from = system.logs.length;
  const response = await fetch(front.url + path, init);
  const body = await response.text();
  const requestId = response.headers.get('x-amzn-requestid') ?? '';
  await until(idle, 'the environment is idle again');
  const lines = () => system.logs.slice(from).map(({ line }) => parse(line));
  const summary = () =>
    lines().find((line) => line.function_request_id === requestId && line.outcome !== undefined);
  await until(() => summary() !== undefined, 'the log has the line of the request');
  // One document per dimension set, the finest one last.
  const isInvocation = summary()?.agent !== undefined;
  const last = !isInvocation ? 'service' : summary()?.outcome === 'complete' ? 'agent' : 'outcome';
  if (init.method === 'POST') {
    await until(() => lines().some((line) => isEmf(line) && last in line), 'the log has its metrics');
  }
  const told = {
    requestId,
    status: response.status,
    body,
    lines: lines().filter((line) => !isEmf(line)),
    metrics: Object.assign({}, ...lines().filter(isEmf)) as Line,
  };
  story[name] = told;
  return told;
}

const post = (name: string, body: object | string, path = '/') =>
  tell(name, path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

const ask = (name: string, body: { prompt?: string; agentId?: string; sessionId?: string } = {}) =>
  post(name, { agentId: 'puppet', prompt: answer, ...body });

const told = (name: string): Told => {
  const found = story[name];
  if (!found) throw new Error(`nothing was told of "${name}"`);
  return found;
};

/** The one line that answers "what happened to this request". */
const summaryOf = ({ lines, requestId }: Told) =>
  lines.filter((line) => line.function_request_id === requestId && line.outcome !== undefined);

/** An environment that is frozen says it when it is thawed, a server when it happens: between two requests. */
const discarded = () => {
  const lines =
    HOST === 'server'
      ? system.logs.map(({ line }) => parse(line))
      : told('the next invocation after that').lines;
  return lines.find(({ message }) => message === 'Connection discarded');
};

/** A server has no cold starts: it is there before it is asked. */
const ofThisHost = (names: string[]) =>
  names.filter((name) => HOST === 'function-url' || name !== 'ColdStart');

const emf = () =>
  system.logs
    .map(({ line }) => line)
    .filter((line) => line.includes('"_aws"'))
    .map((line) => JSON.parse(line) as Emf);

/** `Name {dimension,…}` of each metric that was really printed. */
const emitted = () =>
  new Set(
    emf().flatMap(({ _aws }) =>
      _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
        Metrics.flatMap(({ Name }) =>
          Dimensions.map((set) => `${Namespace} ${Name} {${set.toSorted().join(',')}}`),
        ),
      ),
    ),
  );

beforeAll(async () => {
  daemon = await startXRayDaemon();
  puppet = await startPuppetAgent();
  system = await startSystem({
    runtimes: [
      { id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target },
      { id: 'http', name: 'HttpAgent', runtimeArn, target: puppet.target, transport: 'http' },
    ],
    credentials: [CREDENTIALS],
    environment: {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
      AWS_XRAY_DAEMON_ADDRESS: daemon.address,
      SESSION_TABLE: ':memory:',
      MAX_RETRIES: '1',
      RETRY_BASE_MS: '5',
      FIRST_CHUNK_TIMEOUT_MS: '300',
      IDLE_TIMEOUT_MS: '300',
      IN_FLIGHT_INTERVAL_MS: '100',
      MAX_PROMPT_BYTES: '2000',
      // Nobody is there.
      AWS_ENDPOINT_URL_CLOUDFORMATION: 'http://127.0.0.1:9',
    },
  });
  const invoke = (event: unknown) => system.runtime.invoke(event, { traceId: newTrace().header });
  front =
    HOST === 'server'
      ? { url: system.url, close: async () => {} }
      : await startFunctionUrl({ runtime: { invoke } });
  const { refuse, slowUpgrade } = FAULTS;

  const sessionId = newSessionId();
  await ask('a cold success', { sessionId });
  await ask('a reuse', { sessionId });
  system.dataPlane.fault(runtimeArn, refuse(429, 'ThrottlingException'), 1);
  await ask('a retry');
  system.dataPlane.fault(runtimeArn, slowUpgrade(1050), 1);
  await ask('a microVM that is started');
  await ask('an answer over http', {
    agentId: 'http',
    prompt: prompt({ status: 200 }, { send: `data: ${CANARIES.agentText}\n\n` }),
  });

  const tokens = JSON.stringify({ type: 'usage', usage: { inputTokens: 12, outputTokens: 80 } });
  await ask('an answer that counts its tokens', {
    prompt: prompt({ send: '"a"' }, { send: tokens }, { send: tokens }, { send: '[DONE]' }),
  });
  await ask('a long text', { prompt: prompt({ fill: [10_000] }, { send: '[DONE]' }) });
  await ask('an answer without any text', { prompt: prompt({ send: '{"type":"complete"}' }) });

  const goesOn = prompt(
    { send: CANARIES.agentText },
    { send: '[DONE]' },
    { sleepMs: 30 },
    { send: CANARIES.agentText },
  );
  const late = () => new Promise((resolve) => setTimeout(resolve, 100));
  await ask('an agent that goes on after its end', { prompt: goesOn });
  await late();
  await ask('the next invocation after that');
  await ask('another agent that goes on after its end', { prompt: goesOn });
  await late();
  // The first look thaws the environment, and may be over before that message is read.
  await tell('a look at the health', '/health');
  await tell('a second look', '/health');
  await ask('the next invocation after the look');

  await post('no JSON', `{"prompt": "${CANARIES.prompt}`);
  await post('a prompt that is no string', { agentId: 'puppet', prompt: [CANARIES.prompt] });
  await ask('an unknown agent', { agentId: 'nobody' });
  await ask('a long prompt', { prompt: CANARIES.prompt.repeat(100) });
  await post('an unknown route', { prompt: CANARIES.prompt }, `/nowhere?prompt=${CANARIES.prompt}`);
  await tell('a wrong method', `/?prompt=${CANARIES.prompt}`, { method: 'PUT', body: CANARIES.prompt });

  system.dataPlane.fault(
    runtimeArn,
    refuse(
      403,
      'AccessDeniedException',
      `The request signature we calculated does not match\n\nThe Canonical String x-amz-security-token:${CANARIES.sessionToken} ${CANARIES.secretKey}`,
    ),
    1,
  );
  await ask('a refused signature');
  system.dataPlane.fault(
    runtimeArn,
    refuse(404, 'ResourceNotFoundException', 'No endpoint or agent found with qualifier DEFAULT'),
    1,
  );
  await ask('an agent whose runtime is gone');
  system.dataPlane.fault(runtimeArn, refuse(400, 'ValidationException', 'not like that'), 1);
  await ask('a request that AgentCore finds invalid');
  system.dataPlane.fault(
    runtimeArn,
    refuse(424, 'RuntimeClientError', 'Received error (404) from runtime'),
    1,
  );
  await ask('an agent without a WebSocket handler');
  system.dataPlane.fault(runtimeArn, FAULTS.garbageUpgrade(), 1);
  await ask('an upgrade that is no HTTP');
  await tell('a stack that cannot be described', '/api/stacks/status/agent-demo');
  await ask('an error of the agent', {
    prompt: prompt({ send: JSON.stringify({ type: 'error', message: CANARIES.agentError }) }),
  });
  await ask('an error of the agent over http', {
    agentId: 'http',
    prompt: prompt({ status: 500, contentType: 'application/json' }, { send: CANARIES.agentError }),
  });
  await ask("a close with the agent's reason", {
    // It begins as a text of AgentCore does.
    prompt: prompt({ close: 1008, reason: `${POLICY}${CANARIES.agentError}` }),
  });
  await ask('silence', { prompt: prompt() });
  await ask('silence after text', { prompt: prompt({ send: CANARIES.agentText }) });
  await ask('an error of the agent after text', {
    prompt: prompt(
      { send: JSON.stringify({ chunk: CANARIES.agentText }) },
      { send: JSON.stringify({ type: 'error', message: CANARIES.agentError }) },
    ),
  });
  await ask('a connection that breaks off', {
    prompt: prompt({ send: CANARIES.agentText }, { sleepMs: 20 }, { drop: true }),
  });
  await post(
    'a connection that breaks off under a JSON answer',
    { agentId: 'puppet', prompt: prompt({ send: CANARIES.agentText }, { sleepMs: 20 }, { drop: true }) },
    '/api/agents/invoke',
  );
});

beforeAll(async () => {
  const wrong = { PING_INTERVAL_MS: 'x' };
  if (HOST === 'server') {
    await startSystem({ environment: wrong, onLog: ({ line }) => notStarted.push(parse(line)) }).catch(
      () => {},
    );
    return;
  }
  const broken = await startSystem({ environment: wrong });
  await (await fetch(broken.url, { method: 'POST', body: '{}' })).text();
  await until(
    () => broken.logs.some(({ line }) => line.includes('"errorMessage"')),
    'the cold start has failed',
  );
  await broken.close();
  // Beside Lambda's own line, Node.js says on stderr what it died of.
  notStarted = broken.logs.flatMap(({ line }) => (line.startsWith('{') ? [parse(line)] : []));
});

afterAll(async () => {
  await front?.close();
  await system?.close();
  await puppet?.close();
  await daemon?.close();
});

describe('every metric line', () => {
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, '../fixtures/emf-schema.json'), 'utf8'),
  ) as object;

  test('is valid by the schema of the Embedded Metric Format', () => {
    const validate = new Ajv({ allErrors: true }).compile(schema);

    const invalid = emf().flatMap((document) => (validate(document) ? [] : [validate.errors]));

    expect(emf().length).toBeGreaterThan(15);
    expect(invalid).toEqual([]);
  });

  test('has the targets of its references on its root, numbers for metrics and strings for dimensions', () => {
    for (const document of emf()) {
      for (const { Dimensions, Metrics } of document._aws.CloudWatchMetrics) {
        expect(Metrics.length).toBeGreaterThan(0);
        expect(Metrics.length).toBeLessThanOrEqual(100);
        for (const { Name } of Metrics) expect(document[Name]).toEqual(expect.any(Number));
        for (const key of Dimensions.flat()) expect(document[key]).toMatch(/^.{1,1024}$/);
      }
    }
  });

  test('has only the dimension sets {service}, {service, agent} and {service, agent, outcome}', () => {
    const sets = emf().map(({ _aws }) => _aws.CloudWatchMetrics.map(({ Dimensions }) => Dimensions));
    const { service, agent, outcome } = DIMENSIONS;

    const documents = [[service], [service, agent], [service, agent, outcome]];

    expect(new Set(sets.map((set) => JSON.stringify(set)))).toEqual(
      new Set(documents.map((document) => JSON.stringify([[document]]))),
    );
  });

  test('has each metric in the sets that the contract says, and the errors alone by outcome', () => {
    const finest = { service: 1, agent: 2, outcome: 3 };
    const setsOf = (name: string) =>
      new Set(
        emf().flatMap(({ _aws }) =>
          _aws.CloudWatchMetrics.filter(({ Metrics }) => Metrics.some(({ Name }) => Name === name)).flatMap(
            ({ Dimensions }) => Dimensions.map((set) => set.length),
          ),
        ),
      ).size;

    for (const [name, kind] of Object.entries(METRICS)) {
      const isEmitted = ofThisHost([name]).length > 0;
      expect([name, setsOf(name)]).toEqual([name, isEmitted ? finest[kind.finest] : 0]);
    }
    const byOutcome = Object.entries(METRICS).filter(([, kind]) => kind.finest === 'outcome');
    expect(byOutcome.map(([name]) => name)).toEqual(['InvocationErrors']);
  });

  test('names the service, the id of the agent and the outcome', () => {
    const values = (key: string) => new Set(emf().flatMap((document) => document[key] ?? []));

    expect(values(DIMENSIONS.service)).toEqual(new Set([SERVICE_NAME]));
    expect(values(DIMENSIONS.agent)).toEqual(new Set(['puppet', 'http']));
    expect(values(DIMENSIONS.outcome)).toEqual(
      new Set([
        'Unauthenticated',
        'AgentNotFound',
        'BadRequest',
        'AgentFailed',
        'AgentTimeout',
        'AgentInterrupted',
      ]),
    );
  });

  test('has the namespace, the names and the units of the contract', () => {
    for (const { Namespace, Metrics } of emf().flatMap(({ _aws }) => _aws.CloudWatchMetrics)) {
      expect(Namespace).toBe(METRIC_NAMESPACE);
      for (const { Name, Unit } of Metrics)
        expect([Name, Unit]).toEqual([Name, METRICS[Name as 'ColdStart'].unit]);
    }
  });
});

describe('the metrics', () => {
  test('count the tokens that an agent tells, in metrics and in the summary', () => {
    const { metrics, lines } = told('an answer that counts its tokens');

    expect(metrics).toMatchObject({ InputTokens: 24, OutputTokens: 160 });
    expect(lines.at(-1)).toMatchObject({ input_tokens: 24, output_tokens: 160 });
    expect(told('a reuse').metrics).not.toHaveProperty('InputTokens');
  });

  test('count an answer that is complete and says nothing, and the log warns of it', () => {
    const { metrics, lines } = told('an answer without any text');

    expect(metrics).toMatchObject({ EmptyAnswers: 1, InvocationErrors: 0 });
    expect(lines).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'EmptyAnswer' }));
    expect(told('a reuse').metrics).not.toHaveProperty('EmptyAnswers');
  });

  test('of the contract are all emitted, and no others', () => {
    const names = emf().flatMap(({ _aws }) =>
      _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name)),
    );

    expect([...new Set(names)].sort()).toEqual(ofThisHost(Object.keys(METRICS)).sort());
  });

  test('of the dashboard and of the alarms are ones that were emitted', () => {
    const template = stackOf().template();
    const used = [...dashboardMetrics(template), ...alarmMetrics(template)]
      .filter(({ namespace }) => namespace === METRIC_NAMESPACE)
      .map(({ namespace, name, dimensions }) => `${namespace} ${name} {${dimensions.join(',')}}`);

    const known = emitted();
    const missing = [...new Set(used)].filter((metric) => !known.has(metric));

    expect(used.length).toBeGreaterThan(20);
    expect(missing).toEqual(HOST === 'server' ? [expect.stringContaining('ColdStart')] : []);
    // Each is billed.
    expect([...known].filter((metric) => !used.includes(metric))).toEqual([]);
  });

  test('say of a cold success that it was one', () => {
    const { metrics, body } = told('a cold success');
    const { bytes, chunks } = JSON.parse(body.trim().split('data: ').at(-1) ?? '') as Line;

    expect(metrics).toMatchObject({
      ...(HOST === 'function-url' && { ColdStart: 1 }),
      InvocationCount: 1,
      InvocationErrors: 0,
      InvocationTimeouts: 0,
      IncompleteResponses: 0,
      ConnectionsOpened: 1,
      ConnectionsReused: 0,
      ConnectionsDiscarded: 0,
      ConnectionsPooled: 1,
      ConnectionFailures: 0,
      RetryCount: 0,
      ReaderStalled: 0,
      ChunkCount: chunks,
      ResponseBytes: bytes,
    });
    const { FirstChunkLatency, FirstChunkLatencyWarm, InvocationDuration, ConnectionTime } = metrics;
    expect(FirstChunkLatency).toBeGreaterThanOrEqual(ConnectionTime as number);
    expect(InvocationDuration).toBeGreaterThanOrEqual(FirstChunkLatency as number);
    // A new connection, but its upgrade took milliseconds: no microVM was started.
    expect(FirstChunkLatencyWarm).toBe(FirstChunkLatency);
  });

  test('count the cold start once', () => {
    const cold = Object.entries(story).filter(([, { metrics }]) => 'ColdStart' in metrics);

    expect(cold.map(([name]) => name)).toEqual(HOST === 'server' ? [] : ['a cold success']);
  });

  test('say of a reuse that no connection was opened', () => {
    const { metrics } = told('a reuse');

    expect(metrics).toMatchObject({ ConnectionsOpened: 0, ConnectionsReused: 1, InvocationErrors: 0 });
    expect(metrics).toHaveProperty('FirstChunkLatencyWarm', metrics.FirstChunkLatency);
    expect(metrics).not.toHaveProperty('ConnectionTime');
  });

  test('count a retry as a failed connection, and its answer as a success', () => {
    expect(told('a retry').metrics).toMatchObject({
      RetryCount: 1,
      ConnectionFailures: 1,
      ConnectionsOpened: 1,
      InvocationErrors: 0,
    });
  });

  test('do not call a first chunk warm that waited for a second attempt', () => {
    const { metrics } = told('a retry');

    expect(metrics.FirstChunkLatency).toEqual(expect.any(Number));
    expect(metrics).not.toHaveProperty('FirstChunkLatencyWarm');
  });

  test('do not call a first chunk warm that waited for a microVM', () => {
    const { metrics } = told('a microVM that is started');

    expect(metrics.FirstChunkLatency).toBeGreaterThan(1000);
    expect(metrics.ConnectionTime).toBeGreaterThan(1000);
    expect(metrics).not.toHaveProperty('FirstChunkLatencyWarm');
  });

  test('count a discarded connection with the next invocation', () => {
    expect(told('an agent that goes on after its end').metrics.ConnectionsDiscarded).toBe(0);
    expect(told('the next invocation after that').metrics.ConnectionsDiscarded).toBe(1);
  });

  test('do not lose a discarded connection to a request that is no invocation', () => {
    expect(told('a second look').metrics).toEqual({});
    expect(told('the next invocation after the look').metrics.ConnectionsDiscarded).toBe(1);
  });

  test.each([
    'no JSON',
    'a prompt that is no string',
    'an unknown agent',
    'a long prompt',
    'an unknown route',
    'a wrong method',
  ])('count %s as rejected and not as an error', (name) => {
    const { metrics } = told(name);

    expect(metrics).toMatchObject({ RequestsRejected: 1 });
    expect(metrics).not.toHaveProperty('InvocationErrors');
    expect(metrics).not.toHaveProperty('InvocationCount');
  });

  test.each([
    ['a refused signature', 'Unauthenticated'],
    ['an agent whose runtime is gone', 'AgentNotFound'],
    ['a request that AgentCore finds invalid', 'BadRequest'],
    ['an agent without a WebSocket handler', 'AgentFailed'],
    ['an upgrade that is no HTTP', 'AgentFailed'],
    ['an error of the agent', 'AgentFailed'],
    ['an error of the agent over http', 'AgentFailed'],
    ["a close with the agent's reason", 'AgentFailed'],
  ])('count %s as an error', (name, outcome) => {
    expect(told(name).metrics).toMatchObject({
      outcome,
      InvocationCount: 1,
      InvocationErrors: 1,
      InvocationTimeouts: 0,
      IncompleteResponses: 0,
    });
    expect(told(name).metrics).not.toHaveProperty('RequestsRejected');
  });

  test('count errors and invocations together, whatever failed', () => {
    for (const document of emf().filter((one) => 'InvocationErrors' in one && !('outcome' in one))) {
      expect(document).toHaveProperty('InvocationCount', 1);
    }
    // In the log and in the Function URL's own 5xx.
    const { status, metrics } = told('a stack that cannot be described');
    expect(status).toBeGreaterThanOrEqual(500);
    expect(metrics).toEqual({});
  });

  test('count silence as an error and a timeout', () => {
    const { metrics } = told('silence');

    expect(metrics).toMatchObject({ InvocationErrors: 1, InvocationTimeouts: 1, IncompleteResponses: 0 });
    expect(metrics).not.toHaveProperty('FirstChunkLatency');
  });

  test('count silence after text as an error, a timeout and an incomplete answer', () => {
    const { metrics } = told('silence after text');

    expect(metrics).toMatchObject({ InvocationErrors: 1, InvocationTimeouts: 1, IncompleteResponses: 1 });
  });

  test.each(['a connection that breaks off', 'a connection that breaks off under a JSON answer'])(
    'count %s as an error and an incomplete answer',
    (name) => {
      expect(told(name).metrics).toMatchObject({
        outcome: 'AgentInterrupted',
        InvocationErrors: 1,
        IncompleteResponses: 1,
        InvocationTimeouts: 0,
        ChunkCount: 1,
      });
    },
  );
});

describe('the log', () => {
  test('has one line per request that says what happened to it', () => {
    for (const [name, request] of Object.entries(story)) {
      expect([name, summaryOf(request).length]).toEqual([name, 1]);
    }
  });

  test('says of an invocation everything in one line', () => {
    const cold = told('a cold success');
    const interrupted = told('a connection that breaks off');

    const line = {
      service: SERVICE_NAME,
      route: 'invoke',
      agent: 'puppet',
      session_id: expect.stringMatching(/^[\w-]{33,256}$/),
      prompt_bytes: expect.any(Number),
      chunks: 1,
      bytes: CANARIES.agentText.length,
      duration_ms: expect.any(Number),
      first_chunk_ms: expect.any(Number),
      connection_ms: expect.any(Number),
      upgrade_ms: expect.any(Number),
      connection_reused: false,
      retries: 0,
      ...(HOST === 'function-url' && { xray_trace_id: expect.stringMatching(/^1-/) }),
    };
    expect(summaryOf(cold)).toEqual([
      expect.objectContaining({
        ...line,
        level: 'INFO',
        message: 'Answer finished',
        function_request_id: cold.requestId,
        cold_start: HOST === 'function-url',
        status: 200,
        http_status: 200,
        outcome: 'complete',
        prompt_bytes: Buffer.byteLength(answer),
        incomplete: false,
      }),
    ]);
    expect(summaryOf(interrupted)).toEqual([
      expect.objectContaining({
        ...line,
        level: 'ERROR',
        message: 'Answer interrupted',
        function_request_id: interrupted.requestId,
        cold_start: false,
        status: 502,
        // What the caller had.
        http_status: 200,
        outcome: 'AgentInterrupted',
        code: 'AgentInterrupted',
        reason: expect.any(String),
        cause: 'the WebSocket was closed with 1006',
        prompt_sent: true,
        retryable: false,
        incomplete: true,
        error: expect.objectContaining({
          stack: expect.stringContaining('StreamError'),
          cause: expect.objectContaining({ message: expect.any(String), stack: expect.any(String) }),
        }),
      }),
    ]);
  });

  test.each([
    ['no JSON', 400],
    ['an unknown agent', 404],
    ['a wrong method', 405],
    ['a long prompt', 413],
  ])('has %s as a warning', (name, status) => {
    const request = told(name);

    expect(request.status).toBe(status);
    expect(summaryOf(request)).toEqual([
      expect.objectContaining({ level: 'WARN', message: 'Request rejected', status }),
    ]);
  });

  test.each([
    ['an agent whose runtime is gone', 404, 'AgentNotFound'],
    ['a request that AgentCore finds invalid', 400, 'BadRequest'],
  ])('has %s as an error, not as the caller’s mistake', (name, status, code) => {
    const request = told(name);

    expect(request.status).toBe(status);
    expect(summaryOf(request)).toEqual([
      expect.objectContaining({ level: 'ERROR', message: 'Request failed', agent: 'puppet', status, code }),
    ]);
  });

  test('says what AgentCore really said, and what to check', () => {
    expect(summaryOf(told('an agent whose runtime is gone'))).toEqual([
      expect.objectContaining({
        reason: expect.stringContaining('no such runtime or endpoint'),
        cause:
          'AgentCore answered 404 ResourceNotFoundException: No endpoint or agent found with qualifier DEFAULT',
        upstream_request_id: 'fault-request-id',
      }),
    ]);
    expect(summaryOf(told('an agent without a WebSocket handler'))).toEqual([
      expect.objectContaining({
        cause: 'AgentCore answered 424 RuntimeClientError: Received error (404) from runtime',
        hint: expect.stringContaining('docs/agents.md'),
      }),
    ]);
  });

  test('has of an error its name, message, code, stack and causes, and nothing else that hangs on it', () => {
    const errors = system.logs.flatMap(({ line }) => {
      const { error } = parse(line);
      return error ? [error as Line] : [];
    });
    const chain = (error: Line): Line[] => [error, ...(error.cause ? chain(error.cause as Line) : [])];
    const keys = new Set(errors.flatMap(chain).flatMap((error) => Object.keys(error)));

    expect(errors.length).toBeGreaterThan(8);
    expect([...keys].sort()).toEqual(['cause', 'code', 'message', 'name', 'stack']);
    // What Node's HTTP parser hangs on its errors is what the other side sent.
    expect(system.logs.filter(({ line }) => line.includes('OpenSSH_9.2'))).toEqual([]);
  });

  test('has a failure of another route', () => {
    expect(summaryOf(told('a stack that cannot be described'))).toEqual([
      expect.objectContaining({
        level: 'ERROR',
        message: 'Request failed',
        route: 'stackStatus',
        cause: expect.stringContaining('ECONNREFUSED'),
      }),
    ]);
  });

  test('has the same keys in the lines of a cold start, which are written without Powertools', () => {
    const keysOf = (name: string, message: string) =>
      Object.keys(told(name).lines.find((line) => line.message === message) ?? {})
        // Powertools' own, where it samples nothing.
        .filter((key) => key !== 'sampling_rate')
        .sort();

    for (const message of ['Request', 'Answer finished']) {
      expect(keysOf('a cold success', message)).toEqual(keysOf('a microVM that is started', message));
    }
  });

  test('names the agent and the session in every line of an invocation', () => {
    const ofInvocations = Object.values(story).filter((one) => summaryOf(one)[0]?.agent !== undefined);

    for (const one of ofInvocations) {
      const [summary] = summaryOf(one);
      for (const line of one.lines.filter((other) => other.function_request_id === one.requestId)) {
        expect(line).toMatchObject({ agent: summary?.agent, session_id: summary?.session_id });
      }
    }
    expect(ofInvocations.length).toBeGreaterThan(15);
  });

  test.each([
    ['a cold success', 'puppet'],
    ['an answer over http', 'http'],
    ['an unknown agent', 'nobody'],
    ['a long prompt', 'puppet'],
    ['a prompt that is no string', 'puppet'],
  ])(
    'has every request for an answer with the agent as it was given, its prompt’s length and its session: %s',
    (name, agentId) => {
      const asked = told(name).lines.filter(({ message }) => message === 'Request');

      expect(asked).toEqual([
        expect.objectContaining({
          level: 'INFO',
          agent_id: agentId,
          session_id: expect.stringMatching(/^[\w-]{33,256}$/),
          ...(name !== 'a prompt that is no string' && { prompt_bytes: expect.any(Number) }),
        }),
      ]);
    },
  );

  test('has how many chunks came from the agent beside how many went out', () => {
    expect(summaryOf(told('an answer that counts its tokens'))).toEqual([
      expect.objectContaining({ chunks_received: 1, chunks: 1 }),
    ]);
    expect(summaryOf(told('a long text'))).toEqual([
      expect.objectContaining({ chunks_received: 1, chunks: 3 }),
    ]);
  });

  test('follows a connection from its opening to its end', () => {
    const messages = (name: string) => told(name).lines.map(({ message }) => message);

    expect(messages('a cold success')).toEqual(['Request', 'Connection opened', 'Answer finished']);
    expect(messages('a reuse')).toEqual(['Request', 'Connection reused', 'Answer finished']);
    expect(messages('a retry')).toEqual([
      'Request',
      'Attempt failed, trying again',
      'Connection opened',
      'Answer finished',
    ]);
    expect(messages('an answer over http')).toEqual([
      'Request',
      'Connection opened',
      'Connection closed',
      'Answer finished',
    ]);
    expect(discarded()).toMatchObject({ message: 'Connection discarded' });
    const closed = told('a connection that breaks off').lines.find(
      ({ message }) => message === 'Connection closed',
    );
    expect(closed).toMatchObject({ close_code: 1006, close_reason_length: 0, age_ms: expect.any(Number) });
  });

  test('says of each step what it took', () => {
    const lineOf = (name: string, message: string) =>
      told(name).lines.find((line) => line.message === message);

    expect(lineOf('a retry', 'Request')).toMatchObject({
      level: 'INFO',
      agent: 'puppet',
      session_id: expect.stringMatching(/^[\w-]{33,256}$/),
      prompt_bytes: Buffer.byteLength(answer),
      function_request_id: told('a retry').requestId,
      cold_start: false,
    });
    expect(lineOf('a retry', 'Attempt failed, trying again')).toMatchObject({
      level: 'WARN',
      code: 'Throttled',
      delay_ms: expect.any(Number),
      error: {
        name: 'StreamError',
        cause: { message: 'AgentCore answered 429 ThrottlingException: refused' },
      },
    });
    const opened = lineOf('a microVM that is started', 'Connection opened');
    expect(opened).toMatchObject({ level: 'INFO', age_ms: expect.any(Number) });
    expect(opened?.upgrade_ms).toBeGreaterThan(1000);
    expect(opened?.connection_ms).toBeGreaterThanOrEqual(opened?.upgrade_ms as number);
    const reused = lineOf('a reuse', 'Connection reused');
    expect(reused).toMatchObject({ level: 'INFO', age_ms: expect.any(Number) });
    expect(reused).not.toHaveProperty('connection_ms');
    expect(discarded()).toMatchObject({
      level: 'INFO',
      agent: 'puppet',
      session_id: expect.stringMatching(/^[\w-]{33,256}$/),
      reason: 'disturbed',
      age_ms: expect.any(Number),
    });
  });

  test("tells of the agent's own words their kind and length", () => {
    const length = CANARIES.agentError.length;

    expect(summaryOf(told('an error of the agent'))).toEqual([
      expect.objectContaining({ agent_error_type: 'error', agent_error_length: length }),
    ]);
    expect(summaryOf(told("a close with the agent's reason"))).toEqual([
      expect.objectContaining({ agent_error_code: 1008, agent_error_length: POLICY.length + length }),
    ]);
  });

  const successes = [
    'a cold success',
    'a reuse',
    'a long text',
    'a microVM that is started',
    'an answer over http',
    'an answer that counts its tokens',
    'an agent that goes on after its end',
    'the next invocation after that',
    'another agent that goes on after its end',
    'the next invocation after the look',
  ];
  const refusals = [
    'a refused signature',
    'an agent whose runtime is gone',
    'a request that AgentCore finds invalid',
    'an agent without a WebSocket handler',
  ];
  const broken = [
    'silence after text',
    'an error of the agent after text',
    'a connection that breaks off',
    'a connection that breaks off under a JSON answer',
  ];
  const failures = [
    ...refusals,
    ...broken,
    'an upgrade that is no HTTP',
    'an error of the agent',
    'an error of the agent over http',
    "a close with the agent's reason",
    'silence',
  ];

  test.each<[query: string, lines: readonly string[], requests: string[]]>([
    ['the dashboard’s failures by cause', FAILURES_BY_CAUSE, failures],
    [
      'the dashboard’s latest errors',
      LATEST_ERRORS,
      [...failures, 'a stack that cannot be described', 'a cold start that fails'],
    ],
    ...[
      ['Users are affected', failures],
      ['Error rate', failures],
      // As the metric: over http the start of a microVM cannot be told from the agent's thinking.
      [
        'Slow first chunk',
        [...successes, ...broken].filter(
          (name) => !['a microVM that is started', 'an answer over http'].includes(name),
        ),
      ],
      ['Connection failures', ['a retry', 'an upgrade that is no HTTP', ...refusals]],
      ['Timeouts', ['silence', 'silence after text']],
      ['Throttles', [...successes, 'a retry', 'an answer without any text', ...broken]],
      ['Incomplete responses', broken],
    ].map(([heading, requests]): [string, string[], string[]] => [
      `the runbook’s "${heading}"`,
      runbookQueries(heading as string)[0] ?? [],
      requests as string[],
    ]),
  ])('gives %s the lines that it is for, with the fields that it shows', (_what, lines, requests) => {
    const { matches, fields } = parseQuery(lines);

    const all = [
      ...Object.entries(story).map(([name, { lines: own }]) => ({ name, own })),
      { name: 'a cold start that fails', own: notStarted },
    ];
    const found = all.flatMap(({ name, own }) => own.filter(matches).map((line) => ({ name, line })));

    expect([...new Set(found.map(({ name }) => name))].sort()).toEqual([...requests].sort());
    const empty = fields
      // Where Lambda says what a cold start died of.
      .filter((field) => HOST === 'function-url' || field !== 'message.errorMessage')
      .filter((field) => !found.some(({ line }) => fieldOf(line, field) !== undefined));
    expect(empty).toEqual([]);
  });

  test('gives the runbook’s query about slow first chunks the answers that the metric counts', () => {
    const { matches } = parseQuery(runbookQueries('Slow first chunk')[0] ?? []);

    for (const [name, { lines, metrics }] of Object.entries(story)) {
      expect([name, lines.some(matches)]).toEqual([name, 'FirstChunkLatencyWarm' in metrics]);
    }
  });

  testOn('function-url')(
    'gives the runbook’s query about the function’s errors what Lambda says, and which variable is wrong',
    () => {
      // Lambda's own lines, which are not written here. https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
      const ofLambda = (type: string, record: object) => ({ time: '2026-11-25T12:00:00.000Z', type, record });
      const report = { requestId: 'a', metrics: { maxMemoryUsedMB: 128 } };
      const failed = [
        ofLambda('platform.initReport', { phase: 'init', status: 'error', errorType: 'Runtime.ExitError' }),
        ofLambda('platform.runtimeDone', {
          requestId: 'a',
          status: 'failure',
          errorType: 'Runtime.ExitError',
        }),
        ofLambda('platform.report', { ...report, status: 'timeout' }),
      ];
      const fine = [
        ofLambda('platform.initReport', { phase: 'init', status: 'success' }),
        ofLambda('platform.report', { ...report, status: 'success' }),
        ofLambda('platform.start', { requestId: 'a', version: '$LATEST' }),
      ];
      const written = Object.values(story).flatMap(({ lines }) => lines);
      const { matches, fields } = parseQuery(runbookQueries('Function errors')[0] ?? []);

      const found = [...notStarted, ...failed, ...fine, ...written].filter(matches);

      expect(found).toEqual([...notStarted, ...failed]);
      expect(notStarted.map((line) => fieldOf(line, 'message.errorMessage'))).toEqual([
        expect.stringMatching(/^PING_INTERVAL_MS: expected a whole number from 1 to 59999 .*, got "x"$/),
      ]);
      expect(fields).toContain('message.errorMessage');
      expect(fields.filter((field) => !found.some((line) => fieldOf(line, field) !== undefined))).toEqual([]);
    },
  );

  test('counts every attempt that failed in the query about connections', () => {
    const { matches } = parseQuery(runbookQueries('Connection failures')[0] ?? []);
    const counted = Object.values(story).reduce(
      (sum, { metrics }) => sum + Number(metrics.ConnectionFailures ?? 0),
      0,
    );

    const found = Object.values(story).flatMap(({ lines }) => lines.filter(matches));

    expect(found).toHaveLength(counted);
  });

  test('gives the runbook’s query for AWS support the failures that AWS has an id for', () => {
    const { matches } = parseQuery(runbookQueries('AgentCore itself')[0] ?? []);
    const found = Object.entries(story).flatMap(([name, { lines }]) => (lines.some(matches) ? name : []));

    expect(found).toEqual(expect.arrayContaining(refusals));
    expect(failures).toEqual(expect.arrayContaining(found));
  });

  test('gives the runbook’s query about one agent the failures of that agent', () => {
    const query = (runbookQueries('One agent fails')[0] ?? []).map((line) =>
      line.replace("the agent's id", 'puppet'),
    );
    const { matches } = parseQuery(query);

    const found = Object.entries(story).flatMap(([name, { lines }]) => (lines.some(matches) ? name : []));

    expect(found.sort()).toEqual(failures.filter((name) => !name.endsWith('over http')).sort());
  });

  test('gives the runbook’s query by request id everything about the request', () => {
    const { requestId, lines } = told('a retry');
    const query = (runbookQueries('')[0] ?? []).map((line) =>
      line.replace('the requestId of the error', requestId),
    );

    const { matches } = parseQuery(query);

    expect(lines.filter(matches)).toEqual(lines);
    expect(Object.values(story).flatMap((other) => other.lines.filter(matches))).toEqual(lines);
  });

  test('has every field that the queries of dashboard and runbook ask for', () => {
    const seen = new Set(system.logs.flatMap(({ line }) => Object.keys(parse(line))));

    expect(Object.values(LOG_FIELDS).filter((field) => !seen.has(field))).toEqual([]);
  });
});

describe('no canary', () => {
  const canaries = Object.entries(CANARIES);

  test('was missed because nothing carried it', () => {
    const asked = puppet.prompts.map(({ prompt }) => prompt).join();
    const answers = Object.values(story)
      .map(({ body }) => body)
      .join();

    expect(asked).toContain(CANARIES.prompt);
    expect(answers).toContain(CANARIES.agentText);
    expect(answers).toContain(CANARIES.agentError);
    const [request] = system.dataPlane.requests;
    expect(JSON.stringify(request?.headers)).toContain(CANARIES.sessionToken);
  });

  test.each(canaries)('of %s is in a log line or a metric', (_what, canary) => {
    const leaks = system.logs.filter(({ line }) => line.includes(canary));

    expect(leaks).toEqual([]);
  });

  testOn('function-url').each(canaries)('of %s is in a trace', (_what, canary) => {
    const leaks = daemon.datagrams.filter((datagram) => datagram.includes(canary));

    expect(daemon.datagrams.length).toBeGreaterThan(10);
    expect(leaks).toEqual([]);
  });

  test.each(canaries)('of %s is in an error, but for what the agent said', (_what, canary) => {
    const leaks = Object.entries(story).filter(([, { body }]) =>
      withoutTheAgentsWords(body).includes(canary),
    );

    expect(leaks).toEqual([]);
  });

  test('is a signature', () => {
    const printed = [...system.logs.map(({ line }) => line), ...daemon.datagrams].join('\n');

    expect(printed).not.toMatch(/AWS4-HMAC|Signature=|x-amz-security-token|AKIA|ASIA/i);
  });
});

/** A body as it was sent, without the texts of chunks and what an agent's error says. */
function withoutTheAgentsWords(body: string): string {
  const documents = /^(data|id): /.test(body)
    ? body.match(/^data: .*/gm)?.map((line) => line.slice(6))
    : [body];
  const keep = (key: string, value: unknown) =>
    ['chunk', 'response', 'agentError'].includes(key) ? undefined : value;
  return JSON.stringify(documents?.map((document) => JSON.stringify(JSON.parse(document), keep)));
}
