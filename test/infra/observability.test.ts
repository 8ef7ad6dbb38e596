import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { METRIC_NAMESPACE, METRICS } from '../../lambda/contract.ts';
import { AgentStreamObservability } from '../../lib/observability.ts';
import { AgentStreamFunction } from '../../lib/streaming-function.ts';
import { code, observed, THREE_AGENTS } from './support.ts';
import { alarmMetrics, dashboardMetrics, widgets } from './template-metrics.ts';

/**
 * AWS's own names. A wrong one draws an empty graph and fails nothing, so each was looked up.
 */
const AWS_METRICS: Record<string, { source: string; names: string[]; dimensions: string[] }> = {
  'AWS/Lambda': {
    source:
      'https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html',
    names: [
      'ConcurrentExecutions',
      'Duration',
      'Errors',
      'Throttles',
      'Url4xxCount',
      'Url5xxCount',
      'UrlRequestCount',
    ],
    dimensions: ['FunctionName'],
  },
  'AWS/Bedrock-AgentCore': {
    source:
      'https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html; spelling and dimensions as in aws-cdk-lib 2.276.0, aws-bedrockagentcore/lib/runtime/runtime-base.js',
    names: ['Invocations', 'Latency', 'SessionCount', 'SystemErrors', 'Throttles', 'UserErrors'],
    dimensions: ['Name', 'Operation', 'Resource'],
  },
};

describe('metrics', () => {
  const template = observed();
  const used = [...dashboardMetrics(template), ...alarmMetrics(template)];

  test('of ours are those that the function emits, in one of its dimension sets', () => {
    const own = used.filter(({ namespace }) => namespace === METRIC_NAMESPACE);

    expect(own.length).toBeGreaterThan(20);
    for (const { name, dimensions } of own) {
      expect(Object.keys(METRICS)).toContain(name);
      expect(['service', 'agent,service', 'agent,outcome,service']).toContain(dimensions.join());
    }
  });

  test('of ours are all shown', () => {
    const shown = new Set(dashboardMetrics(template).map(({ name }) => name));

    expect(Object.keys(METRICS).filter((name) => !shown.has(name))).toEqual([]);
  });

  test('of AWS are in the list that was checked against its source', () => {
    const theirs = used.filter(({ namespace }) => namespace !== METRIC_NAMESPACE);

    for (const { namespace, name, dimensions } of theirs) {
      expect(AWS_METRICS[namespace]?.names).toContain(name);
      expect(dimensions).toEqual(AWS_METRICS[namespace]?.dimensions);
    }
    for (const [namespace, { names }] of Object.entries(AWS_METRICS)) {
      const seen = new Set(theirs.filter((one) => one.namespace === namespace).map(({ name }) => name));
      expect([...seen].sort()).toEqual(names);
    }
  });
});

describe('the dashboard', () => {
  const all = widgets(observed());
  const titled = (title: string) => all.find(({ properties }) => properties.title === title)?.properties;

  test('goes from health to agents, connections, Lambda, AgentCore and errors, each row with its line and link', () => {
    const texts = all
      .filter(({ type }) => type === 'text')
      .map(({ properties }) => String(properties.markdown));

    expect(texts.map((text) => text.split('\n')[0])).toEqual([
      '## Is it healthy?',
      '## Agents',
      '## Connections to AgentCore',
      '## Lambda',
      '## AgentCore itself',
      '## Latest errors',
    ]);
    for (const text of texts) expect(text).toMatch(/^## .+\n.{30,} Runbook: `docs\/runbook\.md#[a-z-]+`$/);
  });

  test('draws the limits that alarms and platform have', () => {
    const limit = (title: string) => titled(title)?.annotations;

    expect(limit('First chunk, warm')).toMatchObject({ horizontal: [{ value: 2000 }] });
    expect(limit('Connection time')).toMatchObject({ horizontal: [{ value: 5000 }] });
    expect(limit('Concurrent streams')).toMatchObject({ horizontal: [{ value: 50 }] });
    expect(limit('Duration of invocations')).toMatchObject({ horizontal: [{ value: 900_000 }] });
  });

  test('has a line per agent', () => {
    const labels = (titled('Errors, %')?.metrics ?? []).map(
      (entry) => (entry.at(-1) as { label?: string }).label,
    );

    expect(labels.filter(Boolean)).toEqual(expect.arrayContaining(THREE_AGENTS.map(({ name }) => name)));
  });

  test('asks AgentCore for each runtime in the region of the runtime', () => {
    const [metric] = titled('MWCAgent: AgentCore')?.metrics ?? [];

    expect(metric?.[0]).toMatchObject({
      expression: expect.stringContaining(`Resource="${THREE_AGENTS[2]?.runtimeArn}"`),
      region: 'eu-west-1',
    });
  });

  test('lists the latest errors of the log', () => {
    const query = String(titled('Latest errors')?.query);

    expect(query).toMatch(/^SOURCE '<ref>' \| fields @timestamp, agent, code/);
    expect(query).toContain('filter level = "ERROR"');
  });
});

test('links its rows to the runbook’s address when it is given', () => {
  const template = observed({ runbookUrl: 'https://wiki.example.com/stream' });

  const texts = widgets(template).filter(({ type }) => type === 'text');
  for (const { properties } of texts) {
    expect(properties.markdown).toMatch(/ \[Runbook\]\(https:\/\/wiki\.example\.com\/stream#[a-z-]+\)$/);
  }
});

test('works in an app of somebody else, in a stack beside the one with the function', () => {
  const app = new App();
  const env = { account: '444455556666', region: 'eu-west-1' };
  const stream = new AgentStreamFunction(new Stack(app, 'Theirs', { env }), 'Stream', {
    agents: THREE_AGENTS.map((agent, i) => ({ ...agent, id: `a${'-_'[i] ?? ''}b` })),
    code: code(),
  });
  const watching = new Stack(app, 'Watching', { env });

  new AgentStreamObservability(watching, 'Observability', { stream });

  Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Dashboard', 1);
});

test('two stages in one account watch their own metrics', () => {
  const names = ['dev', 'prod'].map((stage) => {
    const stack = new Stack(new App(), 'Stack');
    return new AgentStreamFunction(stack, 'Stream', { agents: THREE_AGENTS, code: code(), stage }).metric(
      'InvocationErrors',
    ).dimensions?.service;
  });

  expect(names).toEqual(['agentcore-stream', 'agentcore-stream-prod']);
});
