import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { MetricName } from '../../lambda/contract.ts';
import {
  createLiveMetrics,
  LIVE_METRICS_PATH,
  type LiveFigures,
  MetricsFold,
} from '../../local/playground/live-metrics.ts';

type Values = Partial<Record<MetricName, number>>;

/** A line as the function prints it. */
function emf(values: Values, dimensions: Record<string, string> = {}, namespace = 'AgentCoreStream'): string {
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: 'Count' }));
  const directive = { Namespace: namespace, Dimensions: [['service', ...Object.keys(dimensions)]], Metrics };
  return JSON.stringify({
    _aws: { Timestamp: 1, CloudWatchMetrics: [directive] },
    service: 'agentcore-stream',
    ...dimensions,
    ...values,
  });
}

/** What the function prints of an invocation: a document per dimension set. */
const invocation = (agent: string, values: Values = {}, outcome = 'complete') => {
  const all = { InvocationCount: 1, InvocationErrors: outcome === 'complete' ? 0 : 1, ...values };
  return [
    emf(all),
    emf(all, { agent }),
    ...(outcome === 'complete' ? [] : [emf({ InvocationErrors: 1 }, { agent, outcome })]),
  ];
};

function figuresOf(...lines: (string | string[])[]): LiveFigures {
  const fold = new MetricsFold();
  for (const line of lines.flat()) fold.take(line);
  return fold.figures(0);
}

const NONE = { p50: null, p90: null, p99: null };

describe('the figures', () => {
  test('are nothing before there was a request', () => {
    expect(new MetricsFold().figures(2)).toEqual({
      all: { invocations: 0, errors: 0, successRate: null, firstChunk: NONE, firstChunkWarm: NONE },
      agents: [],
      rejected: 0,
      coldStarts: 0,
      concurrentStreams: 2,
      connectionTime: NONE,
      totals: {},
    });
  });

  test('add up invocations, errors and connections, of all and of each agent for itself', () => {
    const { all, agents } = figuresOf(
      invocation('onboarding', { ConnectionsOpened: 1 }),
      invocation('onboarding', { ConnectionsReused: 1 }),
      invocation('mwc', { ConnectionsOpened: 1 }, 'AgentFailed'),
      invocation('onboarding', { ConnectionsOpened: 1 }, 'AgentTimeout'),
      invocation('onboarding', { ConnectionsReused: 1 }),
    );

    expect(all).toMatchObject({ invocations: 5, errors: 2, successRate: 60 });
    expect(agents).toEqual([
      expect.objectContaining({
        agent: 'onboarding',
        invocations: 4,
        errors: 1,
        successRate: 75,
        outcomes: { AgentTimeout: 1 },
        connectionsOpened: 2,
        connectionsReused: 2,
      }),
      expect.objectContaining({
        agent: 'mwc',
        invocations: 1,
        errors: 1,
        successRate: 0,
        outcomes: { AgentFailed: 1 },
      }),
    ]);
  });

  test('have the quantiles of the first chunk, of those answers that had one, and of the warm ones', () => {
    const times = [900, 100, 300, 500, 700, 200, 400, 800, 600, 1000];
    const { all, agents } = figuresOf(
      ...times.map((ms) =>
        invocation('mwc', { FirstChunkLatency: ms, ...(ms < 600 && { FirstChunkLatencyWarm: ms }) }),
      ),
      invocation('mwc', {}, 'AgentTimeout'),
      invocation('onboarding'),
    );

    expect(agents[0]).toMatchObject({
      firstChunk: { p50: 500, p90: 900, p99: 1000 },
      firstChunkWarm: { p50: 300, p90: 500, p99: 500 },
    });
    expect(agents[1]).toMatchObject({ firstChunk: NONE, firstChunkWarm: NONE });
    expect(all).toMatchObject({
      firstChunk: { p50: 500, p90: 900, p99: 1000 },
      firstChunkWarm: { p50: 300, p90: 500, p99: 500 },
    });
  });

  test('have the quantiles of the latest thousand answers only', () => {
    const times = (ms: number) =>
      Array.from({ length: 1000 }, () => invocation('mwc', { FirstChunkLatency: ms }));

    expect(figuresOf(...times(9000), ...times(10)).agents[0]).toMatchObject({
      invocations: 2000,
      firstChunk: { p99: 10 },
    });
  });

  test('count cold starts, rejections, and failures that belong to no agent', () => {
    const { all, agents, ...rest } = figuresOf(
      emf({ ColdStart: 1 }),
      emf({ RequestsRejected: 1 }),
      emf({ RequestsRejected: 1 }),
      emf({ InvocationCount: 1, InvocationErrors: 1 }),
      invocation('mwc'),
    );

    expect(rest).toMatchObject({ coldStarts: 1, rejected: 2 });
    expect(all).toMatchObject({ invocations: 2, errors: 1, successRate: 50 });
    expect(agents).toMatchObject([{ invocations: 1, errors: 0, successRate: 100 }]);
  });

  test.each([
    ['a log line', '{"level":"INFO","message":"Request","agent":"mwc","InvocationCount":1}'],
    ['half a line', emf({ InvocationCount: 1 }, { agent: 'mwc' }).slice(0, -5)],
    ['what is no JSON', 'AgentCoreStream _aws InvocationCount'],
    ['metrics of somebody else', emf({ InvocationCount: 1 }, { agent: 'mwc' }, 'Other')],
  ])('ignore %s', (_what, line) => {
    expect(figuresOf(line).agents).toEqual([]);
  });
});

describe('the events', () => {
  let close = () => {};
  afterEach(() => close());

  async function serve(metrics: ReturnType<typeof createLiveMetrics>): Promise<string> {
    const server = createServer((request, response) => {
      if (!metrics.handler(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    close = () => {
      metrics.close();
      server.close();
      server.closeAllConnections();
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Events of an answer, one by one. */
  async function* eventsOf(response: Response): AsyncGenerator<LiveFigures> {
    let text = '';
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString();
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) yield JSON.parse(event.slice('data: '.length)) as LiveFigures;
    }
  }

  test('begin with the present figures, and go on when they change', async () => {
    const environments = [{ state: 'idle' }, { state: 'busy' }];
    const metrics = createLiveMetrics({ environments: () => environments });
    for (const line of invocation('mwc')) metrics.onLog({ line });
    const url = await serve(metrics);

    const response = await fetch(url + LIVE_METRICS_PATH);
    const events = eventsOf(response);
    const first = (await events.next()).value;
    for (const line of invocation('mwc')) metrics.onLog({ line });
    environments.push({ state: 'busy' });
    const second = (await events.next()).value;

    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(first).toMatchObject({ agents: [{ agent: 'mwc', invocations: 1 }], concurrentStreams: 1 });
    expect(second).toMatchObject({ agents: [{ agent: 'mwc', invocations: 2 }], concurrentStreams: 2 });
  });

  test('end when the system closes', async () => {
    const metrics = createLiveMetrics();
    const url = await serve(metrics);
    const response = await fetch(`${url}${LIVE_METRICS_PATH}?again`);
    const events = eventsOf(response);
    await events.next();

    metrics.close();

    expect((await events.next()).done).toBe(true);
  });

  test.each([
    ['GET', '/playground/playground.js'],
    ['POST', LIVE_METRICS_PATH],
    ['GET', '/'],
  ])('leave %s %s to somebody else', async (method, path) => {
    const url = await serve(createLiveMetrics());

    expect((await fetch(url + path, { method })).status).toBe(404);
  });
});
