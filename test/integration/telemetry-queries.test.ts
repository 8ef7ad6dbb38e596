import { describe, expect, test } from '@jest/globals';
import { FAILURES_BY_CAUSE, LATEST_ERRORS, LOG_FIELDS } from '../../lib/log-fields.ts';
import { HOST } from '../fixtures/host.ts';
import {
  CANARIES,
  crashed,
  daemon,
  notStarted,
  parse,
  puppet,
  story,
  system,
  told,
  useTelemetryStory,
} from '../fixtures/telemetry-story.ts';
import { testOn } from '../fixtures/test-on.ts';
import { fieldOf, parseQuery, runbookQueries } from '../infra/logs-insights.ts';

useTelemetryStory();

describe('the log', () => {
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

  testOn('server').each([
    ['The server cannot start', notStarted, /^PING_INTERVAL_MS: expected a whole number from 1 to 59999 /],
    ['Uncaught', crashed, /^a bug$/],
  ])('gives the runbook’s query about "%s" the line that says why', (heading, left, why) => {
    const written = Object.values(story).flatMap(({ lines }) => lines);
    const { matches, fields } = parseQuery(runbookQueries(heading)[0] ?? []);

    const found = [...notStarted, ...crashed, ...written].filter(matches);

    expect(found).toHaveLength(1);
    expect(left).toContain(found[0]);
    expect(fieldOf(found[0] ?? {}, 'error.message')).toMatch(why);
    expect(fields.filter((field) => fieldOf(found[0] ?? {}, field) === undefined)).toEqual([]);
  });

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
    // The log of the probe is in probe.test.ts.
    const { attempt: _, ...ofTheService } = LOG_FIELDS;

    expect(Object.values(ofTheService).filter((field) => !seen.has(field))).toEqual([]);
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
