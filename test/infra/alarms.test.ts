import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AgentStreamObservability } from '../../lib/observability.ts';
import { type Datapoint, evaluate } from './metric-math.ts';
import { functionIn, observed, runtimeArn, THREE_AGENTS } from './support.ts';

describe('the alarms', () => {
  const template = observed();
  const rate = (part: string, atLeast = 20) => [
    { Expression: `IF(whole >= ${atLeast}, 100 * FILL(part, 0) / whole, 0)`, ReturnData: true },
    { Id: 'part', MetricStat: { Metric: { MetricName: part }, Stat: 'Sum', Period: 300 }, ReturnData: false },
    {
      Id: 'whole',
      MetricStat: { Metric: { MetricName: 'InvocationCount' }, Stat: 'Sum', Period: 300 },
      ReturnData: false,
    },
  ];
  const stat = (MetricName: string, Stat: string) => ({
    MetricStat: { Metric: { MetricName }, Stat, Period: 300 },
  });

  test.each<[string, string, number, object[], [periods: number, datapoints: number]?]>([
    ['error rate', 'error-rate', 5, rate('InvocationErrors')],
    [
      'warm first chunk',
      'slow-first-chunk',
      2000,
      [
        { Expression: 'IF(answers >= 20, p90, 0)' },
        { Id: 'answers', ...stat('FirstChunkLatencyWarm', 'SampleCount') },
        { Id: 'p90', ...stat('FirstChunkLatencyWarm', 'p90') },
      ],
    ],
    [
      'connection failures',
      'connection-failures',
      10,
      [
        {
          Expression: 'IF(invocations >= 20 AND (failed + opened) > 0, 100 * failed / (failed + opened), 0)',
        },
        { Id: 'invocations', ...stat('InvocationCount', 'Sum') },
        { Id: 'failed', ...stat('ConnectionFailures', 'Sum') },
        { Id: 'opened', ...stat('ConnectionsOpened', 'Sum') },
      ],
    ],
    ['timeouts', 'timeouts', 1, rate('InvocationTimeouts')],
    ['throttles', 'throttles', 0, [stat('Throttles', 'Sum')]],
    ['incomplete responses', 'incomplete-responses', 1, rate('IncompleteResponses')],
    ['function errors', 'function-errors', 0, [stat('Errors', 'Sum')], [3, 2]],
    ['one agent', 'one-agent-fails', 50, rate('InvocationErrors', 5)],
  ])(
    'tell of %s and name its article',
    (_what, article, threshold, metrics, [periods, datapoints] = [1, 1]) => {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmDescription: Match.stringLikeRegexp(`Runbook: docs/runbook\\.md#${article}$`),
        ComparisonOperator: 'GreaterThanThreshold',
        Threshold: threshold,
        EvaluationPeriods: periods,
        DatapointsToAlarm: datapoints,
        TreatMissingData: 'notBreaching',
        Metrics: metrics.map((metric) => Match.objectLike(metric)),
        AlarmName: Match.absent(),
      });
    },
  );

  test('are those, and one composite of all that a user has as an error', () => {
    const [composite] = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm'));
    const rule = JSON.stringify(composite?.Properties.AlarmRule);

    template.resourceCountIs('AWS::CloudWatch::Alarm', 7 + THREE_AGENTS.length);
    expect(composite?.Properties.AlarmDescription).toMatch(/^Users are affected: .*#users-are-affected$/);
    for (const id of [
      'ErrorRate',
      'Timeouts',
      'Throttles',
      'Incomplete',
      'FunctionErrors',
      'OneAgentFails',
    ]) {
      expect(rule).toContain(id);
      expect(composite?.Properties.AlarmDescription).toContain(id);
    }
    for (const { id } of THREE_AGENTS) expect(rule).toContain(`OneAgentFails${id}`);
    // Tried again; where that does not help it is an error of its own.
    expect(rule).not.toContain('ConnectionFailures');
    // An agent that calls a tool first is slow every time.
    expect(rule).not.toContain('SlowFirstChunk');
  });

  test('watch each agent by its own metrics, and name it with its runtime', () => {
    const ofAgents = Object.values(template.findResources('AWS::CloudWatch::Alarm')).filter(
      ({ Properties }) => /#one-agent-fails$/.test(Properties.AlarmDescription),
    );

    expect(ofAgents).toHaveLength(THREE_AGENTS.length);
    ofAgents.forEach(({ Properties }, i) => {
      const { id = '', runtimeArn = '' } = THREE_AGENTS[i] ?? {};
      expect(Properties.AlarmDescription).toContain(`for the agent "${id}" (${runtimeArn}) failed`);
      const metrics = (Properties.Metrics as { MetricStat?: { Metric: { Dimensions: object[] } } }[]).flatMap(
        ({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []),
      );
      expect(metrics).toHaveLength(2);
      for (const { Dimensions } of metrics) expect(Dimensions).toContainEqual({ Name: 'agent', Value: id });
    });
  });

  test('tell agents apart whose ids differ in nothing that a logical id may have', () => {
    const { stack, subject } = functionIn({
      agents: ['ab', 'a-b', 'a_b', 'AB'].map((id) => ({ id, name: id, runtimeArn: runtimeArn('Any') })),
    });

    new AgentStreamObservability(stack, 'Observability', { stream: subject });

    const ids = Object.keys(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'));
    expect(ids.filter((id) => id.includes('OneAgentFails'))).toHaveLength(4);
  });

  test('tell nobody unless told whom', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));

    expect(alarms.filter(({ Properties }) => Properties.AlarmActions || Properties.OKActions)).toEqual([]);
  });

  test.each([
    [true, 8 + THREE_AGENTS.length],
    [false, 1],
  ])('notify all (%p): %i of them tell the topic', (notifyAll, count) => {
    const topic = Topic.fromTopicArn(new Stack(), 'Topic', 'arn:aws:sns:us-east-1:111122223333:alarms');

    const told = observed({ alarmActions: [new SnsAction(topic)], notifyAll });

    const telling = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']
      .flatMap((type) => Object.values(told.findResources(type)))
      .filter(({ Properties }) => Properties.AlarmActions);
    expect(telling).toHaveLength(count);
    expect(telling.filter(({ Properties }) => Properties.OKActions)).toHaveLength(notifyAll ? count : 0);
  });

  test('link to the runbook of whoever uses the construct', () => {
    const alarms = observed({ runbookUrl: 'https://wiki.example.com/stream' }).findResources(
      'AWS::CloudWatch::Alarm',
    );

    for (const { Properties } of Object.values(alarms)) {
      expect(Properties.AlarmDescription).toMatch(/Runbook: https:\/\/wiki\.example\.com\/stream#[a-z-]+$/);
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

describe('in a period of five minutes', () => {
  const alarms = Object.values(observed().findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties,
  );
  /** What an alarm computes from the metrics of one period, by their names. */
  const computed = (article: string, metrics: Readonly<Record<string, Datapoint>>): Datapoint => {
    const alarm = alarms.find(({ AlarmDescription }) => AlarmDescription.endsWith(`#${article}`));
    const queries = alarm?.Metrics as {
      Id: string;
      Expression?: string;
      MetricStat?: { Stat: string; Metric: { MetricName: string } };
    }[];
    const values = queries.flatMap(({ Id, MetricStat }) => {
      if (!MetricStat) return [];
      const { Metric, Stat } = MetricStat;
      return [[Id, metrics[`${Metric.MetricName} ${Stat}`] ?? metrics[Metric.MetricName]]];
    });
    const expression = queries.find(({ Expression }) => Expression !== undefined)?.Expression ?? '';
    return evaluate(expression, Object.fromEntries(values));
  };

  test.each<[article: string, name: string, limitPercent: number]>([
    ['error-rate', 'InvocationErrors', 5],
    ['timeouts', 'InvocationTimeouts', 1],
    ['incomplete-responses', 'IncompleteResponses', 1],
  ])('%s is the share of the requests, from 20 of them on', (article, name, limitPercent) => {
    const of = (InvocationCount: Datapoint, part: Datapoint) =>
      computed(article, { InvocationCount, [name]: part });

    expect(of(19, 19)).toBe(0);
    expect(of(20, 20)).toBe(100);
    expect(of(20, 0)).toBe(0);
    expect(of(200, (200 * limitPercent) / 100)).toBe(limitPercent);
    expect(of(200, (200 * limitPercent) / 100 + 1)).toBeGreaterThan(limitPercent);
    // None failed, and nobody said so.
    expect(of(20, undefined)).toBe(0);
    // No traffic: no result, which is not breaching.
    expect(of(undefined, undefined)).toBeUndefined();
  });

  test('one-agent-fails is the share of its requests, from 5 of them on', () => {
    const of = (InvocationCount: Datapoint, InvocationErrors: Datapoint) =>
      computed('one-agent-fails', { InvocationCount, InvocationErrors });

    expect(of(4, 4)).toBe(0);
    expect(of(5, 5)).toBe(100);
    expect(of(10, 5)).toBe(50);
    expect(of(10, 6)).toBeGreaterThan(50);
    expect(of(5, undefined)).toBe(0);
    expect(of(undefined, undefined)).toBeUndefined();
  });

  test('connection-failures is the share of the attempts, from 20 requests on', () => {
    const of = (InvocationCount: Datapoint, ConnectionFailures: Datapoint, ConnectionsOpened: Datapoint) =>
      computed('connection-failures', { InvocationCount, ConnectionFailures, ConnectionsOpened });

    expect(of(19, 19, 0)).toBe(0);
    expect(of(20, 20, 0)).toBe(100);
    // Each request connects after one retry.
    expect(of(20, 20, 20)).toBe(50);
    expect(of(20, 2, 18)).toBe(10);
    expect(of(20, 3, 18)).toBeGreaterThan(10);
    // Every request took a kept connection.
    expect(of(20, 0, 0)).toBe(0);
    expect(of(undefined, undefined, undefined)).toBeUndefined();
  });

  test('slow-first-chunk is the p90, from 20 warm answers on', () => {
    const of = (answers: Datapoint, p90: Datapoint) =>
      computed('slow-first-chunk', {
        'FirstChunkLatencyWarm SampleCount': answers,
        'FirstChunkLatencyWarm p90': p90,
      });

    expect(of(19, 9000)).toBe(0);
    expect(of(20, 9000)).toBe(9000);
    expect(of(undefined, undefined)).toBeUndefined();
  });
});
