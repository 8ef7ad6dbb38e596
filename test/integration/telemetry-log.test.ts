import { describe, expect, test } from '@jest/globals';
import { SERVICE_NAME } from '../../lambda/contract.ts';
import { HOST } from '../fixtures/host.ts';
import {
  answer,
  CANARIES,
  discarded,
  type Line,
  POLICY,
  parse,
  story,
  summaryOf,
  system,
  told,
  useTelemetryStory,
} from '../fixtures/telemetry-story.ts';

useTelemetryStory();

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
});
