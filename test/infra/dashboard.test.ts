import { Duration, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AgentStreamObservability } from '../../lib/observability.ts';
import { functionIn, observed, stackOf, THREE_AGENTS, type WatchedHost } from './support.ts';
import { widgets } from './template-metrics.ts';

describe('the dashboard', () => {
  const all = widgets(observed());
  const titled = (title: string) => all.find(({ properties }) => properties.title === title)?.properties;
  /** What a widget draws: a metric with its statistic, or an expression. */
  const drawn = (title: string) =>
    (titled(title)?.metrics ?? []).map((entry) => {
      const options = entry.at(-1) as { expression?: string; stat?: string };
      const name = typeof entry[0] === 'string' ? entry[1] : undefined;
      return options.expression ?? `${name} ${options.stat ?? 'Average'}`;
    });
  /** A line per agent, and one of all. */
  const lines = (of: string) => [...THREE_AGENTS.map(() => of), of];

  test('goes from health to causes, agents, connections, Lambda, AgentCore and errors, row by row', () => {
    const titles = all.map(({ type, properties }) =>
      type === 'text' ? String(properties.markdown).split('\n')[0] : properties.title,
    );

    expect(titles).toEqual([
      '## Are users affected?',
      'Alarms that notify',
      'The last 5 minutes',
      '## Is it healthy?',
      'Alarms',
      'Answers without an error, %',
      'First chunk, warm',
      'Failures, throttles and crashes',
      'Concurrent streams',
      'Tokens',
      'Active sessions of the account',
      '## What fails, where and why',
      'Failures by agent, code and reason',
      '## Agents',
      'Requests',
      'Errors, %',
      'Timeouts, %',
      'Incomplete answers, %',
      'First chunk, warm, p90',
      'First chunk, all, p90',
      'Whole answer, p90',
      'Failed connections',
      'Connection time, p90',
      'Reused connections, %',
      'Chunks',
      'Bytes',
      'Input tokens',
      'Output tokens',
      'Empty answers',
      '## Answers under way',
      'Streams open',
      'Waiting for the first chunk',
      'Age of the oldest',
      '## Connections to AgentCore',
      'Connection time',
      'Connections',
      'Failures and stalls',
      '## Lambda',
      'Concurrency and throttles',
      'Duration of invocations',
      'Cold starts and crashes',
      'Function URL',
      '## AgentCore itself',
      ...THREE_AGENTS.flatMap(({ id }) => [`${id}: requests`, `${id}: WebSockets`]),
      'agent | runtime | log group',
      '## Latest errors',
      'Latest errors',
    ]);
  });

  test('says in each row what to look for, with a link', () => {
    const headings = all.filter(({ properties }) => String(properties.markdown).startsWith('## '));

    expect(headings).toHaveLength(9);
    for (const { properties } of headings) {
      expect(properties.markdown).toMatch(/^## .+\n.{30,} Runbook: `docs\/runbook\.md#[a-z-]+`$/);
    }
  });

  test.each<[string, string[]]>([
    [
      'Answers without an error, %',
      ['100 - 100 * FILL(errors, 0) / requests', 'InvocationErrors Sum', 'InvocationCount Sum'],
    ],
    [
      'First chunk, warm',
      ['FirstChunkLatencyWarm p50', 'FirstChunkLatencyWarm p90', 'FirstChunkLatencyWarm p99'],
    ],
    [
      'Failures, throttles and crashes',
      [
        `SEARCH('{AgentCoreStream,agent,outcome,service} MetricName="InvocationErrors" service="agentcore-stream" NOT outcome="complete"', 'Sum')`,
        'Throttles Sum',
        'Errors Sum',
      ],
    ],
    ['Concurrent streams', ['ConcurrentExecutions Maximum']],
    ['Tokens', ['InputTokens Sum', 'OutputTokens Sum']],
    ['Streams open', ['StreamsOpen Sum']],
    ['Waiting for the first chunk', lines('StreamsWaiting Sum')],
    ['Age of the oldest', ['OldestStreamAge Maximum']],
    ['Requests', lines('InvocationCount Sum')],
    ['First chunk, warm, p90', lines('FirstChunkLatencyWarm p90')],
    ['First chunk, all, p90', lines('FirstChunkLatency p90')],
    ['Whole answer, p90', lines('InvocationDuration p90')],
    ['Failed connections', lines('ConnectionFailures Sum')],
    ['Connection time, p90', lines('ConnectionTime p90')],
    ['Chunks', lines('ChunkCount Sum')],
    ['Bytes', lines('ResponseBytes Sum')],
    ['Input tokens', lines('InputTokens Sum')],
    ['Output tokens', lines('OutputTokens Sum')],
    ['Empty answers', lines('EmptyAnswers Sum')],
    ['Connection time', ['ConnectionTime p50', 'ConnectionTime p90', 'ConnectionTime p99']],
    [
      'Connections',
      [
        'ConnectionsOpened Sum',
        'ConnectionsReused Sum',
        'ConnectionsDiscarded Sum',
        // A level: its sum over five minutes would be no number of connections.
        'ConnectionsPooled Maximum',
      ],
    ],
    [
      'Failures and stalls',
      ['ConnectionFailures Sum', 'RetryCount Sum', 'ReaderStalled Sum', 'SessionStoreFailures Sum'],
    ],
    ['Concurrency and throttles', ['ConcurrentExecutions Maximum', 'Throttles Sum']],
    ['Duration of invocations', ['Duration p50', 'Duration Maximum']],
    ['Cold starts and crashes', ['ColdStart Sum', 'Errors Sum']],
    ['Function URL', ['UrlRequestCount Sum', 'Url4xxCount Sum', 'Url5xxCount Sum', 'RequestsRejected Sum']],
  ])('draws in "%s" what it says', (title, expected) => {
    expect(drawn(title)).toEqual(expected);
  });

  /** The words that a widget labels its lines with. */
  const labels = (title: string) =>
    (titled(title)?.metrics ?? []).flatMap((entry) => (entry.at(-1) as { label?: string }).label ?? []);
  const ids = THREE_AGENTS.map(({ id }) => id);

  test.each([
    ['Errors, %', 'InvocationErrors'],
    ['Timeouts, %', 'InvocationTimeouts'],
    ['Incomplete answers, %', 'IncompleteResponses'],
  ])('has in "%s" the share of each agent, from its own metrics, and of all', (title, part) => {
    const found = drawn(title);
    const rate = /^100 \* FILL\(part(\w*), 0\) \/ whole\1$/;

    expect(found.filter((one) => rate.test(one))).toHaveLength(4);
    for (const name of [part, 'InvocationCount']) {
      expect(found.filter((one) => one === `${name} Sum`)).toHaveLength(4);
    }
    expect(labels(title)).toEqual(expect.arrayContaining([...ids, 'all']));
  });

  test('has the share of reused connections of each agent', () => {
    const found = drawn('Reused connections, %');
    const rate = /^100 \* reused(_\w+) \/ \(opened\1 \+ reused\1\)$/;

    expect(found.filter((one) => rate.test(one))).toHaveLength(3);
    for (const name of ['ConnectionsOpened', 'ConnectionsReused']) {
      expect(found.filter((one) => one === `${name} Sum`)).toHaveLength(3);
    }
    expect(labels('Reused connections, %')).toEqual(expect.arrayContaining(ids));
  });

  test('begins with what fits a phone: who is told, and four numbers', () => {
    const [, told, now] = all;

    expect(told?.properties.alarms).toHaveLength(2 + THREE_AGENTS.length);
    expect(labels('The last 5 minutes')).toEqual(['success, %', 'failed', 'requests', 'first chunk, p90']);
    expect(now?.properties).toMatchObject({ view: 'singleValue' });
  });

  test('names an agent by its id, as the log does', () => {
    const texts = JSON.stringify(all.map(({ properties }) => [properties.title, properties.markdown]));

    for (const { id, name } of THREE_AGENTS) {
      expect(labels('Requests')).toContain(id);
      expect(texts).not.toContain(`${name}:`);
    }
  });

  test('leads from an agent to its runtime and to the log of its container', () => {
    const table = String(
      all.find(({ properties }) => /^agent \|/.test(String(properties.markdown)))?.properties.markdown,
    );

    expect(table.split('\n').slice(2)).toEqual(
      THREE_AGENTS.map(({ id, runtimeArn }) => {
        const runtime = runtimeArn.split('/')[1];
        const region = runtimeArn.split(':')[3];
        return `${id} | ${runtime} | \`/aws/bedrock-agentcore/runtimes/${runtime}-DEFAULT\` in ${region}`;
      }),
    );
  });

  test('draws the limits that alarms and platform have', () => {
    const limit = (title: string) => titled(title)?.annotations;

    expect(limit('Answers without an error, %')).toMatchObject({ horizontal: [{ value: 95 }] });
    expect(limit('First chunk, warm')).toMatchObject({ horizontal: [{ value: 2000 }] });
    expect(limit('Errors, %')).toMatchObject({ horizontal: [{ value: 5 }] });
    expect(limit('Timeouts, %')).toMatchObject({ horizontal: [{ value: 2 }] });
    expect(limit('Incomplete answers, %')).toMatchObject({ horizontal: [{ value: 2 }] });
    expect(limit('First chunk, warm, p90')).toMatchObject({ horizontal: [{ value: 2000 }] });
    expect(limit('First chunk, all, p90')).toMatchObject({ horizontal: [{ value: 10_000 }] });
    expect(limit('Connection time')).toMatchObject({ horizontal: [{ value: 5000 }] });
    expect(limit('Concurrent streams')).toMatchObject({ horizontal: [{ value: 50 }] });
    expect(limit('Duration of invocations')).toMatchObject({ horizontal: [{ value: 900_000 }] });
  });

  test('tells throttles from the reserved concurrency, on axes from zero', () => {
    const { metrics, annotations, yAxis } = titled('Concurrency and throttles') ?? {};
    const throttles = metrics?.find((entry) => entry[1] === 'Throttles')?.at(-1) as { color: string };

    expect(annotations).toMatchObject({ horizontal: [{ label: 'reserved' }] });
    expect(JSON.stringify(annotations)).not.toContain(throttles.color);
    expect(yAxis).toMatchObject({ left: { min: 0 }, right: { min: 0 } });
  });

  test('begins with the last 30 minutes, which its tables follow', () => {
    const [dashboard] = Object.values(observed().findResources('AWS::CloudWatch::Dashboard'));

    expect(JSON.stringify(dashboard?.Properties.DashboardBody)).toContain('\\"start\\":\\"-PT30M\\"');
  });

  test('says of each column of the failures that is no field of the log what it means', () => {
    const heading = all.find(({ properties }) => /^## What fails/.test(String(properties.markdown)));

    for (const column of ['latest_cause', 'check_this', 'agent_error']) {
      expect(titled('Failures by agent, code and reason')?.query).toContain(` as ${column}`);
      expect(heading?.properties.markdown).toContain(`\`${column}\` `);
    }
  });

  test('draws the limit of the first chunk that was chosen', () => {
    const template = observed({ slowFirstChunk: Duration.seconds(7) });
    const chart = widgets(template).find(({ properties }) => properties.title === 'First chunk, warm');

    expect(chart?.properties.annotations).toMatchObject({ horizontal: [{ value: 7000 }] });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp('took over 7000 ms'),
    });
  });

  test('asks AgentCore for each runtime, in the region of the runtime, whatever dimensions it has', () => {
    for (const [title, name, stat] of [
      ['mwc: requests', 'Invocations', 'Sum'],
      ['mwc: requests', 'Latency', 'Average'],
      ['mwc: WebSockets', 'ActiveStreamingConnections', 'Sum'],
      ['mwc: WebSockets', 'OutboundStreamingBytesProcessed', 'Sum'],
    ] as const) {
      expect(titled(title)?.metrics).toContainEqual([
        expect.objectContaining({
          expression: `SEARCH('Namespace="AWS/Bedrock-AgentCore" MetricName="${name}" Resource="${THREE_AGENTS[2]?.runtimeArn}"', '${stat}')`,
          // Two endpoints of a runtime are two lines.
          label: `${name} \${PROP('Dim.Name')} \${PROP('Dim.Operation')}`,
          region: 'eu-west-1',
          // The only period that says something of ActiveStreamingConnections.
          period: 60,
        }),
      ]);
    }
  });

  test('asks for the account’s sessions in each region that has an agent', () => {
    const sessions = (titled('Active sessions of the account')?.metrics ?? []).map(([entry]) => entry);

    expect(sessions).toEqual(
      ['us-east-1', 'eu-west-1'].map((region) =>
        expect.objectContaining({
          expression: `SEARCH('Namespace="AWS/Bedrock-AgentCore" MetricName="ActiveSessionCount" Service="AgentCore.Runtime"', 'Maximum')`,
          region,
        }),
      ),
    );
  });

  test('counts the failures of the log by agent, code and reason, and lists the latest', () => {
    expect(titled('Failures by agent, code and reason')?.query).toMatch(
      /^SOURCE '<ref>' \| fields .* by agent, code, reason\n\| sort failures desc\n\| limit 20$/s,
    );
    expect(titled('Latest errors')?.query).toMatch(
      /^SOURCE '<ref>' \| fields @timestamp, agent, code, cause, hint, .*\n\| filter level = "ERROR"\n/,
    );
  });
});

test('of a server has the same rows, and one of its own in the place of Lambda’s', () => {
  const titles = (host: WatchedHost) =>
    widgets(observed({}, { host })).map(({ type, properties }) =>
      type === 'text' ? String(properties.markdown).split('\n')[0] : properties.title,
    );
  const ofFunction = ['Failures, throttles and crashes', '## Lambda', 'Concurrency and throttles'];
  const further = ['Duration of invocations', 'Cold starts and crashes', 'Function URL'];

  const server = titles('web');

  const [onFunction, onServer] = [new Set(titles('function-url')), new Set(server)];
  expect([...onFunction.difference(onServer)]).toEqual([...ofFunction, ...further]);
  expect([...onServer.difference(onFunction)]).toEqual([
    'Failures, failed starts and crashes',
    '## Server',
    'Failed starts and crashes',
    'Rejected by the server',
  ]);
  expect(server.indexOf('## Server')).toBe(titles('function-url').indexOf('## Lambda'));
});

test('the stack’s output leads to this dashboard', () => {
  const { template } = stackOf();
  const [id] = Object.keys(template().findResources('AWS::CloudWatch::Dashboard'));

  template().hasOutput('DashboardUrl', {
    Value: {
      'Fn::Join': [
        '',
        [
          'https://',
          { 'Fn::FindInMap': [Match.anyValue(), { Ref: 'AWS::Partition' }, 'domain'] },
          '/cloudwatch/home?region=',
          { Ref: 'AWS::Region' },
          '#dashboards/dashboard/',
          { Ref: id },
        ],
      ],
    },
  });
});

test('links its rows to the runbook’s address when it is given', () => {
  const template = observed({ runbookUrl: 'https://wiki.example.com/stream' });

  const texts = widgets(template).filter(({ properties }) => String(properties.markdown).startsWith('## '));
  expect(texts).toHaveLength(9);
  for (const { properties } of texts) {
    expect(properties.markdown).toMatch(/ \[Runbook\]\(https:\/\/wiki\.example\.com\/stream#[a-z-]+\)$/);
  }
});

test('says what is deployed, where it is told', () => {
  const [first] = widgets(observed({ version: '1.2.3 (abc)' }));

  expect(first?.properties.markdown).toContain('Deployed: **1.2.3 (abc)**.');
  expect(widgets(observed())[0]?.properties.markdown).not.toContain('Deployed');
});

test('leads to the log of a runtime whose ARN is known at deployment only', () => {
  const { stack, subject } = functionIn({
    agents: [{ id: 'later', name: 'Later', runtimeArn: Token.asString({ Ref: 'Runtime' }) }],
  });
  new AgentStreamObservability(stack, 'Observability', { stream: subject });

  const body = JSON.stringify(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));

  expect(body).toContain(
    'later | ",{"Fn::Select":[1,{"Fn::Split":[":runtime/",{"Ref":"Runtime"}]}]}," | `/aws/bedrock-agentcore/runtimes/',
  );
});
