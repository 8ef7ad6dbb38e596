import { holds } from '../drill/alarm-rule.ts';
import { CompositeAlarm, type CompositeAlarmProperties } from '../drill/composite-alarm.ts';
import { type AlarmState, MetricAlarm, stateOf } from '../drill/metric-alarm.ts';
import type { Datapoint } from '../drill/metric-math.ts';
import { MetricStore, samplesOf, seriesKey } from '../drill/metric-store.ts';

const MINUTE = 60_000;

describe('an alarm', () => {
  const row = (text: string): Datapoint[] =>
    [...text].map((c) => (c === 'X' ? 9 : c === '0' ? 1 : undefined));
  const states = (text: string, breach: number) =>
    (['missing', 'breaching', 'notBreaching'] as const).map((missing) =>
      stateOf(row(text), { threshold: 5, outOf: 3, breach, missing }),
    );

  // As AWS describes it: datapoints of the evaluation range, and the state by the treatments.
  test.each<[string, string[]]>([
    ['0-X-X', ['OK', 'OK', 'OK']],
    ['----0', ['OK', 'OK', 'OK']],
    ['-----', ['INSUFFICIENT_DATA', 'ALARM', 'OK']],
    ['0XX-X', ['ALARM', 'ALARM', 'ALARM']],
    ['--X--', ['ALARM', 'ALARM', 'OK']],
  ])('of three of three makes of %s what CloudWatch does', (datapoints, expected) => {
    expect(states(datapoints, 3)).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ['0-X-X', ['ALARM', 'ALARM', 'ALARM']],
    ['00X0X', ['ALARM', 'ALARM', 'ALARM']],
    ['0-X--', ['OK', 'ALARM', 'OK']],
    ['----0', ['OK', 'ALARM', 'OK']],
    ['---X-', ['ALARM', 'ALARM', 'OK']],
  ])('of two of three makes of %s what CloudWatch does', (datapoints, expected) => {
    expect(states(datapoints, 2)).toEqual(expected);
  });

  test('looks at windows that end with each minute, and computes its expression of them', () => {
    const store = new MetricStore();
    const metric = (Id: string, MetricName: string) => ({
      Id,
      MetricStat: { Stat: 'Sum', Period: 300, Metric: { Namespace: 'N', MetricName, Dimensions: [] } },
    });
    const alarm = new MetricAlarm({
      AlarmDescription: '',
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 3,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
      Metrics: [
        { Id: 'e', Expression: 'FILL(part, 0) - 0.05 * FILL(whole, 0)' },
        metric('part', 'Errors'),
        metric('whole', 'Requests'),
      ],
    });
    const add = (name: string, value: number, minute: number) =>
      store.add({ series: seriesKey('N', name, []), value }, minute * MINUTE);
    add('Errors', 4, 2);
    add('Requests', 10, 2);

    const values = [2, 3, 7, 8].map((minute) => alarm.datapoint(store, minute * MINUTE));
    const states = [3, 7, 8].map((minute) => {
      alarm.evaluate(store, minute * MINUTE);
      return alarm.state;
    });

    expect(values).toEqual([0, 3.5, 3.5, 0]);
    expect(states).toEqual(['ALARM', 'ALARM', 'OK']);
  });
});

describe('the store', () => {
  test('takes each value of a document into the series of each of its dimension sets', () => {
    const samples = samplesOf({
      _aws: {
        Timestamp: 0,
        CloudWatchMetrics: [
          {
            Namespace: 'N',
            Dimensions: [['service'], ['agent', 'service']],
            Metrics: [{ Name: 'A' }, { Name: 'B' }],
          },
        ],
      },
      service: 's',
      agent: 'a',
      A: 1,
      B: [2, 3],
    });

    const key = (name: string, ...dimensions: [string, string][]) =>
      seriesKey(
        'N',
        name,
        dimensions.map(([Name, Value]) => ({ Name, Value })),
      );
    expect(samples).toEqual([
      { series: key('A', ['service', 's']), value: 1 },
      { series: key('B', ['service', 's']), value: 2 },
      { series: key('B', ['service', 's']), value: 3 },
      { series: key('A', ['service', 's'], ['agent', 'a']), value: 1 },
      { series: key('B', ['service', 's'], ['agent', 'a']), value: 2 },
      { series: key('B', ['service', 's'], ['agent', 'a']), value: 3 },
    ]);
  });

  test.each<[string, number]>([
    ['Sum', 55],
    ['SampleCount', 10],
    ['Maximum', 10],
    ['TC(7:)', 3],
    ['p50', 5],
    ['p90', 9],
  ])('computes %s of one to ten as %d', (statistic, expected) => {
    const store = new MetricStore();
    for (let value = 1; value <= 10; value += 1) store.add({ series: 's', value }, 3 * MINUTE + value);

    expect(store.statistic('s', statistic, 5 * MINUTE, 5 * MINUTE)).toBe(expected);
    expect(store.statistic('s', statistic, 5 * MINUTE, 3 * MINUTE)).toBeUndefined();
  });
});

describe('a rule', () => {
  const on =
    (...names: string[]) =>
    (name: string): AlarmState =>
      names.includes(name) ? 'ALARM' : 'OK';

  test.each<[string, string[], boolean]>([
    ['ALARM("a") OR ALARM("b")', ['b'], true],
    ['(ALARM("a") OR ALARM("b"))', [], false],
    ['ALARM("a") AND NOT ALARM("b")', ['a'], true],
    ['ALARM("a") AND NOT ALARM("b")', ['a', 'b'], false],
    ['ALARM("x") OR AT_LEAST(2, ALARM, ("a", "b", "c"))', ['a'], false],
    ['ALARM("x") OR AT_LEAST(2, ALARM, ("a", "b", "c"))', ['a', 'c'], true],
    ['OK("a")', ['a'], false],
  ])('%s with %j on is %p', (rule, names, expected) => {
    expect(holds(rule, on(...names))).toBe(expected);
  });

  test.each([['ALARM("a") XOR ALARM("b")'], ['TRUE'], ['ALARM("a"']])('%s is none that is known', (rule) => {
    expect(() => holds(rule, on())).toThrow();
  });
});

describe('a composite alarm with a suppressor', () => {
  /** States of the cause and of the suppressor, minute by minute; what is told, and in which minute. */
  const told = (cause: string, suppressor: string, own: Partial<CompositeAlarmProperties> = {}) => {
    const alarm = new CompositeAlarm('composite', {
      AlarmDescription: '',
      AlarmRule: 'ALARM("cause")',
      AlarmActions: ['topic'],
      OKActions: ['topic'],
      ActionsSuppressor: 'suppressor',
      ActionsSuppressorWaitPeriod: 120,
      ActionsSuppressorExtensionPeriod: 180,
      ...own,
    });
    const state = (text: string, minute: number): AlarmState => (text[minute] === 'X' ? 'ALARM' : 'OK');
    return [...cause].flatMap((_, minute) => {
      const of = (name: string) => state(name === 'cause' ? cause : suppressor, minute);
      alarm.evaluate(of, ['cause'], minute * MINUTE);
      const message = alarm.tell(of, minute * MINUTE);
      return message ? [`${minute} ${message.state}`] : [];
    });
  };

  test.each<[string, string, string, string[]]>([
    [
      'tells after its wait that it is on, and at once that it is over',
      '.XXXX...',
      '........',
      ['3 ALARM', '5 OK'],
    ],
    ['tells nothing where the suppressor follows within the wait', '.XXXX.....', '..XXX.....', []],
    [
      'tells nothing while the suppressor is on, nor where it ends with it',
      '..XXX.......',
      'XXXXX.......',
      [],
    ],
    ['tells after the extension what is still so', '.XXXXXXXX', 'XXXX.....', ['7 ALARM']],
    ['tells nothing of what was gone before the wait was over', '.X......', '........', []],
  ])('%s', (_what, cause, suppressor, expected) => {
    expect(told(cause, suppressor)).toEqual(expected);
  });

  test('tells at once where it has none, with what changed as the reason', () => {
    const alarm = new CompositeAlarm('composite', {
      AlarmDescription: '',
      AlarmRule: 'ALARM("cause") OR ALARM("other")',
      AlarmActions: ['topic'],
    });

    alarm.evaluate(() => 'ALARM', ['cause', 'unrelated'], MINUTE);

    expect(alarm.tell(() => 'OK', MINUTE)).toEqual({
      atMs: MINUTE,
      alarm: 'composite',
      state: 'ALARM',
      reason: ['cause'],
    });
  });
});
