import { Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { observed } from './support.ts';

describe('the alarms', () => {
  const template = observed();
  const rate = (part: string, whole = 'InvocationCount') => [
    { Expression: 'IF(whole >= 20, 100 * FILL(part, 0) / whole, 0)', ReturnData: true },
    { Id: 'part', MetricStat: { Metric: { MetricName: part }, Stat: 'Sum', Period: 300 }, ReturnData: false },
    {
      Id: 'whole',
      MetricStat: { Metric: { MetricName: whole }, Stat: 'Sum', Period: 300 },
      ReturnData: false,
    },
  ];
  const stat = (MetricName: string, Stat: string) => ({ MetricStat: { Metric: { MetricName }, Stat } });

  test.each<[string, string, number, object[]]>([
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
    ['function errors', 'function-errors', 0, [stat('Errors', 'Sum')]],
  ])('tell of %s and link to its article', (_what, article, threshold, metrics) => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp(`Runbook: docs/runbook\\.md#${article}$`),
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: threshold,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
      Metrics: metrics.map((metric) => Match.objectLike(metric)),
      AlarmName: Match.absent(),
    });
  });

  test('are those, and one composite of all that users notice', () => {
    const [composite] = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm'));
    const rule = JSON.stringify(composite?.Properties.AlarmRule);

    template.resourceCountIs('AWS::CloudWatch::Alarm', 7);
    expect(composite?.Properties.AlarmDescription).toMatch(/^Users are affected\. .*#users-are-affected$/);
    for (const id of [
      'ErrorRate',
      'SlowFirstChunk',
      'Timeouts',
      'Throttles',
      'Incomplete',
      'FunctionErrors',
    ]) {
      expect(rule).toContain(id);
    }
    // Retried; where that fails it is an error, too.
    expect(rule).not.toContain('ConnectionFailures');
  });

  test('tell nobody unless told whom', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));

    expect(alarms.filter(({ Properties }) => Properties.AlarmActions || Properties.OKActions)).toEqual([]);
  });

  test.each([
    [true, 8],
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
