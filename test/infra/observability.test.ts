import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { METRIC_NAMESPACE, METRICS } from '../../lambda/contract.ts';
import { AgentStreamObservability } from '../../lib/observability.ts';
import { AgentStreamFunction } from '../../lib/streaming-function.ts';
import { code, observed, THREE_AGENTS, WATCHED_HOSTS, type WatchedHost } from './support.ts';
import { alarmMetrics, dashboardMetrics } from './template-metrics.ts';

/**
 * AWS's own names. A wrong one draws an empty graph and fails nothing, so each was looked up.
 */
const AWS_METRICS: Record<
  string,
  { source: string; names: string[]; dimensions: string[]; of?: readonly WatchedHost[] }
> = {
  'AWS/Lambda': {
    of: ['function-url'],
    source:
      'https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html',
    names: [
      'ConcurrentExecutions',
      'Duration',
      'Errors',
      'Invocations',
      'Throttles',
      'Url4xxCount',
      'Url5xxCount',
      'UrlRequestCount',
    ],
    dimensions: ['FunctionName'],
  },
  'AWS/Bedrock-AgentCore': {
    source:
      'https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html; spelling of the first ones as in aws-cdk-lib 2.276.0, aws-bedrockagentcore/lib/runtime/runtime-base.js',
    names: [
      'ActiveSessionCount',
      'ActiveStreamingConnections',
      'InboundStreamingBytesProcessed',
      'Invocations',
      'Latency',
      'OutboundStreamingBytesProcessed',
      'SessionCount',
      'SystemErrors',
      'Throttles',
      'UserErrors',
    ],
    // Found by these; the rest of their dimensions is not documented.
    dimensions: ['Resource', 'Service'],
  },
};

/** Those of ours that one host alone emits. */
const OF_ANOTHER_HOST: Record<WatchedHost, string[]> = {
  'function-url': ['ServerStartFailures', 'ServerCrashes'],
  web: ['ColdStart'],
};

describe.each(WATCHED_HOSTS)('metrics, on %s', (host) => {
  const template = observed({}, { host, sessions: 'dynamodb' });
  const shown = dashboardMetrics(template);
  const used = [...shown, ...alarmMetrics(template)];

  test('of ours are those that the host emits, in one of its dimension sets', () => {
    const own = used.filter(({ namespace }) => namespace === METRIC_NAMESPACE);

    expect(own.length).toBeGreaterThan(20);
    for (const { name, dimensions } of own) {
      expect(Object.keys(METRICS)).toContain(name);
      expect(OF_ANOTHER_HOST[host]).not.toContain(name);
      expect(['service', 'agent,service', 'agent,outcome,service']).toContain(dimensions.join());
    }
  });

  test('of ours are all shown', () => {
    const names = new Set(shown.map(({ name }) => name));

    expect(Object.keys(METRICS).filter((name) => !names.has(name))).toEqual(OF_ANOTHER_HOST[host]);
  });

  test('of AWS are in the list that was checked against its source', () => {
    const theirs = used.filter(({ namespace }) => namespace !== METRIC_NAMESPACE);

    for (const { namespace, name, dimensions } of theirs) {
      expect(AWS_METRICS[namespace]?.names).toContain(name);
      for (const dimension of dimensions) expect(AWS_METRICS[namespace]?.dimensions).toContain(dimension);
    }
    for (const [namespace, { names, of = WATCHED_HOSTS }] of Object.entries(AWS_METRICS)) {
      const seen = new Set(theirs.filter((one) => one.namespace === namespace).map(({ name }) => name));
      expect([...seen].sort()).toEqual(of.includes(host) ? names : []);
    }
  });
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
