import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { DIMENSIONS, METRIC_NAMESPACE, METRICS, SERVICE_NAME } from '../../lambda/contract.ts';
import { HOST } from '../fixtures/host.ts';
import {
  emf,
  emitted,
  type Line,
  ofThisHost,
  story,
  told,
  useTelemetryStory,
} from '../fixtures/telemetry-story.ts';
import { observed } from '../infra/support.ts';
import { alarmMetrics, dashboardMetrics } from '../infra/template-metrics.ts';

useTelemetryStory();

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
    const template = observed({}, { host: HOST === 'server' ? 'web' : 'function-url', sessions: 'dynamodb' });
    const used = [...dashboardMetrics(template), ...alarmMetrics(template)]
      .filter(({ namespace }) => namespace === METRIC_NAMESPACE)
      .map(({ namespace, name, dimensions }) => `${namespace} ${name} {${dimensions.join(',')}}`);

    const known = emitted();
    const missing = [...new Set(used)].filter((metric) => !known.has(metric));

    expect(used.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
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
