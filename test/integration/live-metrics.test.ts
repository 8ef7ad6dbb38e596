import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { METRICS } from '../../lambda/contract.ts';
import {
  createLiveMetrics,
  LIVE_METRICS_PATH,
  type LiveFigures,
} from '../../local/playground/live-metrics.ts';
import { type System, startSystem } from '../../local/system.ts';
import { HOST } from '../fixtures/host.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';

let puppet: PuppetAgent;
let system: System;
const metrics = createLiveMetrics({ environments: () => system.runtime.environments });

beforeAll(async () => {
  puppet = await startPuppetAgent();
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    onLog: metrics.onLog,
    functionUrl: { page: metrics.handler },
  });
});
afterAll(async () => {
  metrics.close();
  await system.close();
  await puppet.close();
});

/** Reads the figures until they are as they should be. */
async function figuresWhen(isSo: (figures: LiveFigures) => boolean): Promise<LiveFigures> {
  const response = await fetch(system.url + LIVE_METRICS_PATH, { signal: AbortSignal.timeout(5000) });
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const figures = JSON.parse(event.slice('data: '.length)) as LiveFigures;
      if (isSo(figures)) return figures;
    }
  }
  throw new Error('the figures never came');
}

test('the figures of the running system follow its requests, streams that are under way included', async () => {
  const sessionId = newSessionId();
  // All in one environment: it must be idle before the next request.
  const ask = async (prompt: string) => {
    await invokeSse(system.url, { agentId: 'puppet', prompt, sessionId });
    await until(
      () => system.runtime.environments.every(({ state }) => state === 'idle'),
      'the environment is idle',
    );
  };
  const answer = script({ send: 'x', times: 6, everyMs: 100 }, { send: '[DONE]' });

  const running = ask(answer);
  const during = await figuresWhen(({ concurrentStreams }) => concurrentStreams === 1);
  await running;
  await figuresWhen(
    ({ agents, concurrentStreams }) => agents[0]?.invocations === 1 && concurrentStreams === 0,
  );
  await ask(answer);
  await ask(script({ send: 'x' }, { sleepMs: 20 }, { drop: true }));
  await fetch(system.url, { method: 'POST', body: '{' });
  const after = await figuresWhen(
    ({ agents, rejected }) => agents[0]?.outcomes.AgentInterrupted === 1 && rejected === 1,
  );

  expect(during.agents).toEqual([]);
  expect(after).toMatchObject({
    all: { invocations: 3, errors: 1 },
    agents: [
      {
        agent: 'puppet',
        invocations: 3,
        errors: 1,
        outcomes: { AgentInterrupted: 1 },
        connectionsOpened: 1,
        connectionsReused: 2,
      },
    ],
    coldStarts: HOST === 'server' ? 0 : 1,
    rejected: 1,
    totals: {
      InvocationCount: 3,
      IncompleteResponses: 1,
      InvocationTimeouts: 0,
      RetryCount: 0,
      ChunkCount: 13,
    },
  });
  // Whatever counts something is there, by the name that it has on the dashboard, but for what these answers do not have.
  const absent = ['EmptyAnswers', 'InputTokens', 'OutputTokens', 'SessionStoreFailures'];
  absent.push('ServerStartFailures', 'ServerCrashes');
  // A server starts before its first request.
  if (HOST === 'server') absent.push('ColdStart');
  const counted = Object.entries(METRICS).filter(
    ([name, kind]) => kind.unit !== 'Milliseconds' && !('isGauge' in kind) && !absent.includes(name),
  );
  expect(Object.keys(after.totals).sort()).toEqual(counted.map(([name]) => name).sort());
  expect(after.connectionTime.p50).toBeGreaterThan(0);
  const [agent] = after.agents;
  for (const { p50, p90, p99 } of [
    agent?.firstChunk,
    agent?.firstChunkWarm,
    after.all.firstChunkWarm,
  ].flatMap((quantiles) => quantiles ?? [])) {
    expect(p50).toBeGreaterThan(0);
    expect(p90).toBeGreaterThanOrEqual(p50 ?? 0);
    expect(p99).toBeGreaterThanOrEqual(p90 ?? 0);
  }
  expect(after.all.successRate).toBeCloseTo(200 / 3);
});
