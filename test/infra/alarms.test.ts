import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AgentStreamObservability } from '../../lib/observability.ts';
import { CloudWatch } from '../drill/cloudwatch.ts';
import type { Datapoint } from '../drill/metric-math.ts';
import {
  functionIn,
  observed,
  runtimeArn,
  THREE_AGENTS,
  WATCHED_HOSTS,
  type WatchedHost,
} from './support.ts';

const OF_EACH_AGENT = ['OneAgentFails', 'OneAgentHangs', 'OneAgentFailsInAnHour', 'SlowFirstChunk'];
const topic = Topic.fromTopicArn(new Stack(), 'Topic', 'arn:aws:sns:us-east-1:111122223333:alarms');

type Expected = [
  text: RegExp,
  article: string,
  threshold: number,
  windows: readonly [outOf: number, breach: number],
  count?: number,
];
const twoOfThree = [3, 2] as const;
const atOnce = [1, 1] as const;

/** On every host. */
const OF_ANSWERS: readonly Expected[] = [
  [/^More than 5 % of the requests for the agent "/, 'one-agent-fails', 3, atOnce, 3],
  [/have waited for their first chunk for over a minute/, 'an-agent-hangs', 12, atOnce, 3],
  [/of the few requests \(at most 60\) for the agent "/, 'failures-at-low-traffic', 1, atOnce, 3],
  [/^More than 10 % of the answers of the agent "/, 'slow-first-chunk', 3, atOnce, 3],
  [/ of all answers, new sessions included/, 'slow-first-chunk', 3, atOnce],
  [/ of the connections to AgentCore, .* took over 5000 ms/, 'slow-connections', 3, atOnce],
  [/^More than 5 % of all requests failed/, 'error-rate', 3, twoOfThree],
  [/^More than 2 % of all requests ran into a time limit/, 'timeouts', 3, twoOfThree],
  [/^More than 2 % of all answers broke off/, 'incomplete-responses', 3, twoOfThree],
  [/^More than 10 % of the attempts to connect/, 'connection-failures', 3, twoOfThree],
  [/^The session store missed something of more than 2 %/, 'the-session-store-fails', 3, twoOfThree],
];
const OF_HOST: Readonly<Record<WatchedHost, readonly Expected[]>> = {
  'function-url': [
    [/^Lambda refused more than 5 %/, 'throttles', 3, atOnce],
    [/^The function did not start, crashed/, 'function-errors', 3, atOnce],
    [/of the few requests of an hour .* met a function/, 'failures-at-low-traffic', 1, atOnce],
  ],
  web: [
    [/^The server could not start/, 'the-server-cannot-start', 3, atOnce],
    [/^An error that nobody caught ended a server/, 'uncaught', 0, atOnce],
    [/of the few requests of an hour .* met a server/, 'failures-at-low-traffic', 1, atOnce],
  ],
};

describe.each(WATCHED_HOSTS)('the alarms, on %s', (host) => {
  const template = observed({}, { host, sessions: 'dynamodb' });
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties,
  );
  const expected = [...OF_ANSWERS, ...OF_HOST[host]];

  test.each(expected)(
    'tell of what %p matches, and name its article',
    (text, article, threshold, [outOf, breach], count = 1) => {
      const found = alarms.filter(({ AlarmDescription }) => text.test(AlarmDescription));

      expect(found).toHaveLength(count);
      for (const alarm of found) {
        expect(alarm).toMatchObject({
          AlarmDescription: expect.stringMatching(`\\. Runbook: docs/runbook\\.md#${article}$`),
          ComparisonOperator: 'GreaterThanThreshold',
          Threshold: threshold,
          EvaluationPeriods: outOf,
          DatapointsToAlarm: breach,
          TreatMissingData: 'notBreaching',
        });
        expect(alarm).not.toHaveProperty('AlarmName');
      }
    },
  );

  test('are those, and no others', () => {
    expect(alarms).toHaveLength(expected.reduce((sum, [, , , , count = 1]) => sum + count, 0));
  });

  test('watch each agent by its own metrics, and name it with its runtime', () => {
    for (const { id, runtimeArn: arn } of THREE_AGENTS) {
      const own = alarms.filter(({ AlarmDescription }) =>
        AlarmDescription.includes(`the agent "${id}" (${arn})`),
      );

      expect(own).toHaveLength(OF_EACH_AGENT.length);
      for (const { Metrics } of own) {
        const stats = (Metrics as { MetricStat?: { Metric: { Dimensions: object[] } } }[]).flatMap(
          ({ MetricStat }) => MetricStat?.Metric ?? [],
        );
        expect(stats.length).toBeGreaterThan(0);
        for (const { Dimensions } of stats) expect(Dimensions).toContainEqual({ Name: 'agent', Value: id });
      }
    }
  });

  test('are reasons of a composite that tells, each of them', () => {
    const rules = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm')).map(
      ({ Properties }) => JSON.stringify(Properties.AlarmRule),
    );

    for (const id of Object.keys(template.findResources('AWS::CloudWatch::Alarm'))) {
      expect({ id, isReason: rules.some((rule) => rule.includes(`"${id}"`)) }).toEqual({
        id,
        isReason: true,
      });
    }
  });

  test('watch no store of sessions where there is none', () => {
    const ids = Object.keys(observed({}, { host }).findResources('AWS::CloudWatch::Alarm'));

    expect(ids.filter((id) => id.includes('SessionStore'))).toEqual([]);
    expect(ids).toHaveLength(alarms.length - 1);
  });
});

describe('the alarms', () => {
  test('tell agents apart whose ids differ in nothing that a logical id may have', () => {
    const { stack, subject } = functionIn({
      agents: ['ab', 'a-b', 'a_b', 'AB'].map((id) => ({ id, name: id, runtimeArn: runtimeArn('Any') })),
    });

    new AgentStreamObservability(stack, 'Observability', { stream: subject });

    const ids = Object.keys(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'));
    expect(ids.filter((id) => id.includes('OneAgentFails') && !id.includes('InAnHour'))).toHaveLength(4);
  });

  test('have the limits of slowness that were chosen, and say them', () => {
    const { stack, subject } = functionIn();
    const seconds = (count: number) => ({ toMilliseconds: () => count * 1000 }) as never;

    new AgentStreamObservability(stack, 'Observability', {
      stream: subject,
      slowFirstChunk: seconds(7),
      slowStart: seconds(40),
      slowConnection: seconds(30),
    });

    for (const limitMs of [7000, 40_000, 30_000]) {
      Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmDescription: Match.stringLikeRegexp(`took over ${limitMs} ms`),
        Metrics: Match.arrayWith([
          Match.objectLike({ MetricStat: Match.objectLike({ Stat: `TC(${limitMs}:)` }) }),
        ]),
      });
    }
  });

  test('link to the runbook of whoever uses the construct', () => {
    const told = observed({ runbookUrl: 'https://wiki.example.com/stream' });

    for (const type of ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']) {
      for (const { Properties } of Object.values(told.findResources(type))) {
        expect(Properties.AlarmDescription).toMatch(/Runbook: https:\/\/wiki\.example\.com\/stream#[a-z-]+$/);
      }
    }
  });

  test.each([['docs/runbook.md'], ['http://wiki.example.com'], ['https://wiki.example.com/a#b'], ['']])(
    'refuse %j as the address of the runbook',
    (runbookUrl) => {
      expect(() => observed({ runbookUrl })).toThrow(
        `runbookUrl: expected an https address without "#", such as https://wiki.example.com/runbook, got "${runbookUrl}"`,
      );
    },
  );
});

describe('whom they tell', () => {
  const actions = [new SnsAction(topic)];
  const composites = (props: Parameters<typeof observed>[0]) =>
    Object.entries(observed(props).findResources('AWS::CloudWatch::CompositeAlarm')).map(
      ([id, { Properties }]) => [id.replace(/^Observability|[0-9A-F]{8}$/g, ''), Properties] as const,
    );
  const agents = ['AgentFailsonboarding', 'AgentFailsprovisioning', 'AgentFailsmwc'];

  test('nobody unless told whom', () => {
    for (const [, { AlarmActions, OKActions }] of composites({})) {
      expect([AlarmActions, OKActions]).toEqual([undefined, undefined]);
    }
  });

  test.each([
    ['users are affected, when it begins', false, ['UsersAreAffected', ...agents]],
    ['also of what degrades the service, and of the end', true, ['UsersAreAffected', ...agents, 'Degraded']],
  ])('%s', (_what, notifyAll, expected) => {
    const told = composites({ alarmActions: actions, notifyAll });

    const telling = told.filter(([, { AlarmActions }]) => AlarmActions).map(([id]) => id);
    const ending = told.filter(([, { OKActions }]) => OKActions).map(([id]) => id);
    expect(telling).toEqual(expected);
    expect(ending).toEqual(notifyAll ? expected : []);
  });

  test('by composites alone: a metric alarm cannot be silenced by another', () => {
    const metricAlarms = observed({ alarmActions: actions, notifyAll: true }).findResources(
      'AWS::CloudWatch::Alarm',
    );

    expect(Object.values(metricAlarms).filter(({ Properties }) => Properties.AlarmActions)).toEqual([]);
  });

  test('an alarm is silent while the one is on that says more', () => {
    const suppressors = composites({ alarmActions: actions }).map(([id, { ActionsSuppressor }]) => [
      id,
      ActionsSuppressor?.['Fn::GetAtt'][0].replace(/^Observability|[0-9A-F]{8}$/g, ''),
    ]);

    expect(Object.fromEntries(suppressors)).toEqual({
      UsersAreAffected: undefined,
      AgentFailsonboarding: 'UsersAreAffected',
      AgentFailsprovisioning: 'UsersAreAffected',
      AgentFailsmwc: 'UsersAreAffected',
      AnybodyIsAffected: undefined,
      Degraded: 'AnybodyIsAffected',
    });
  });

  test('one agent alone has no others to be affected with', () => {
    const { stack, subject } = functionIn();

    new AgentStreamObservability(stack, 'Observability', { stream: subject, alarmActions: actions });

    const [users] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::CompositeAlarm'));
    expect(JSON.stringify(users?.Properties.AlarmRule)).not.toContain('AT_LEAST');
  });
});

describe('in a period', () => {
  const watch = new CloudWatch(observed({}, { sessions: 'dynamodb' }));
  /** What an alarm computes where its metrics have these values, by name or by name and statistic. */
  const computed = (alarm: string, metrics: Readonly<Record<string, Datapoint>>) =>
    watch.computed(alarm, (name, statistic) => metrics[`${name} ${statistic}`] ?? metrics[name]);

  test.each<[alarm: string, part: string, percent: number]>([
    ['OneAgentFailsmwc', 'InvocationErrors', 5],
    ['ErrorRate', 'InvocationErrors', 5],
    ['Timeouts', 'InvocationTimeouts', 2],
    ['IncompleteResponses', 'IncompleteResponses', 2],
    ['SessionStore', 'SessionStoreFailures', 2],
  ])('%s is what exceeds its share by more than three, at any traffic', (alarm, part, percent) => {
    const goesOff = (requests: Datapoint, failed: Datapoint) =>
      Number(computed(alarm, { InvocationCount: requests, [part]: failed })) > 3;

    // Three of three are no reason, four of four are.
    expect([goesOff(3, 3), goesOff(4, 4)]).toEqual([false, true]);
    const share = (2000 * percent) / 100;
    expect([goesOff(2000, share + 3), goesOff(2000, share + 4)]).toEqual([false, true]);
    expect([goesOff(2000, undefined), goesOff(undefined, undefined)]).toEqual([false, false]);
  });

  test('FunctionErrors and Throttles are shares of what reached Lambda', () => {
    expect(computed('FunctionErrors', { Errors: 4, Invocations: 4 })).toBeCloseTo(3.8);
    expect(computed('FunctionErrors', { Errors: 100, Invocations: 2000 })).toBeCloseTo(0);
    // What is throttled is no invocation.
    expect(computed('Throttles', { Throttles: 4 })).toBeCloseTo(3.8);
    expect(computed('Throttles', { Throttles: 100, Invocations: 1900 })).toBeCloseTo(0);
  });

  test('ServerStartFailures and ServerCrashes are numbers, and of few requests a share', () => {
    const server = new CloudWatch(observed({}, { host: 'web' }));
    const of = (alarm: string, failed: Datapoint, answered: Datapoint) =>
      server.computed(alarm, (name) => (name === 'InvocationCount' ? answered : failed));

    expect(of('ServerStartFailures', 4, 2000)).toBe(4);
    expect(of('ServerCrashes', 1, 2000)).toBe(1);
    // Three of three starts, and not where others are answered as well.
    expect([of('UnavailableInAnHour', 3, undefined), of('UnavailableInAnHour', 3, 3)]).toEqual([1.5, 0]);
    expect(of('UnavailableInAnHour', 70, 0)).toBe(0);
  });

  test('ConnectionFailures is a share of the attempts', () => {
    const of = (ConnectionFailures: Datapoint, ConnectionsOpened: Datapoint) =>
      computed('ConnectionFailures', { ConnectionFailures, ConnectionsOpened });

    expect(of(20, 180)).toBeCloseTo(0);
    expect(of(20, 20)).toBeCloseTo(16);
    expect(of(undefined, undefined)).toBe(0);
  });

  test.each([
    ['OneAgentFailsInAnHourmwc', 'InvocationErrors', 'InvocationCount'],
    ['UnavailableInAnHour', 'Errors', 'Invocations'],
  ])('%s is three of three, and more than half of up to 60', (alarm, part, whole) => {
    const goesOff = (requests: number, failed: number) =>
      Number(computed(alarm, { [whole]: requests, [part]: failed })) > 1;

    expect([goesOff(2, 2), goesOff(3, 3)]).toEqual([false, true]);
    expect([goesOff(12, 7), goesOff(12, 8)]).toEqual([false, true]);
    expect([goesOff(60, 60), goesOff(61, 61)]).toEqual([true, false]);
  });

  test('OneAgentHangs is three answers that wait for minutes, and a share of the requests', () => {
    const of = (StreamsWaiting: Datapoint, InvocationCount: Datapoint) =>
      Number(computed('OneAgentHangsmwc', { StreamsWaiting, InvocationCount })) > 12;

    // One is counted four times until it runs into its limit of 300 s.
    expect([of(4, 0), of(12, 0), of(13, 0)]).toEqual([false, false, true]);
    expect([of(100, 400), of(113, 400)]).toEqual([false, true]);
  });

  test.each([
    ['SlowFirstChunkmwc', 'FirstChunkLatencyWarm', 2000],
    ['SlowStart', 'FirstChunkLatency', 10_000],
    ['SlowConnections', 'ConnectionTime', 5000],
  ])('%s is what of %s took over %i ms: four of four, and a tenth of many', (alarm, name, limitMs) => {
    const goesOff = (all: Datapoint, slow: Datapoint) =>
      Number(computed(alarm, { [`${name} SampleCount`]: all, [`${name} TC(${limitMs}:)`]: slow })) > 3;

    expect([goesOff(3, 3), goesOff(4, 4)]).toEqual([false, true]);
    expect([goesOff(1000, 103), goesOff(1000, 104)]).toEqual([false, true]);
    expect(goesOff(undefined, undefined)).toBe(false);
  });
});
