import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { MetricName } from '../../lambda/contract.ts';
import {
  createLiveMetrics,
  LIVE_METRICS_PATH,
  type LiveFigures,
  MetricsFold,
} from '../../local/live-metrics.ts';

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

const invocation = (agent: string, values: Values = {}, outcome = 'complete') =>
  emf({ InvocationCount: 1, InvocationErrors: 0, ...values }, { agent, outcome });

function figuresOf(...lines: string[]): LiveFigures {
  const fold = new MetricsFold();
  for (const line of lines) fold.take(line);
  return fold.figures(0);
}

describe('the figures', () => {
  test('are nothing before there was a request', () => {
    expect(new MetricsFold().figures(2)).toEqual({
      agents: [],
      otherErrors: 0,
      rejected: 0,
      coldStarts: 0,
      concurrentStreams: 2,
    });
  });

  test('add up invocations, errors and connections, each agent for itself', () => {
    const { agents } = figuresOf(
      invocation('onboarding', { ConnectionsOpened: 1 }),
      invocation('onboarding', { ConnectionsReused: 1 }),
      invocation('mwc', { ConnectionsOpened: 1, InvocationErrors: 1 }, 'AgentFailed'),
      invocation('onboarding', { ConnectionsOpened: 1, InvocationErrors: 1 }, 'AgentTimeout'),
      invocation('onboarding', { ConnectionsReused: 1 }),
    );

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
      expect.objectContaining({ agent: 'mwc', invocations: 1, successRate: 0, outcomes: { AgentFailed: 1 } }),
    ]);
  });

  test('do not call an outcome an error that is the mistake of the caller', () => {
    const { agents, rejected } = figuresOf(invocation('mwc', { RequestsRejected: 1 }, 'BadRequest'));

    expect(agents[0]).toMatchObject({ invocations: 1, errors: 0, successRate: 100, outcomes: {} });
    expect(rejected).toBe(1);
  });

  test('have the quantiles of the first chunk, of those answers that had one', () => {
    const times = [900, 100, 300, 500, 700, 200, 400, 800, 600, 1000];
    const { agents } = figuresOf(
      ...times.map((ms) => invocation('mwc', { FirstChunkLatency: ms })),
      invocation('mwc', { InvocationErrors: 1 }, 'AgentTimeout'),
      invocation('onboarding'),
    );

    expect(agents[0]).toMatchObject({ firstChunkP50: 500, firstChunkP90: 900 });
    expect(agents[1]).toMatchObject({ firstChunkP50: null, firstChunkP90: null });
  });

  test('have the quantiles of the latest thousand answers only', () => {
    const slow = Array.from({ length: 1000 }, () => invocation('mwc', { FirstChunkLatency: 9000 }));
    const fast = Array.from({ length: 1000 }, () => invocation('mwc', { FirstChunkLatency: 10 }));

    expect(figuresOf(...slow, ...fast).agents[0]).toMatchObject({ invocations: 2000, firstChunkP90: 10 });
  });

  test('count cold starts, rejections and errors that belong to no agent', () => {
    expect(
      figuresOf(
        emf({ ColdStart: 1 }),
        emf({ RequestsRejected: 1 }),
        emf({ RequestsRejected: 1 }),
        emf({ InvocationErrors: 1 }),
      ),
    ).toMatchObject({ coldStarts: 1, rejected: 2, otherErrors: 1, agents: [] });
  });

  test.each([
    ['a log line', '{"level":"INFO","message":"Request","agent":"mwc","InvocationCount":1}'],
    ['half a line', invocation('mwc').slice(0, -5)],
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
    metrics.onLog({ line: invocation('mwc') });
    const url = await serve(metrics);

    const response = await fetch(url + LIVE_METRICS_PATH);
    const events = eventsOf(response);
    const first = (await events.next()).value;
    metrics.onLog({ line: invocation('mwc') });
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
