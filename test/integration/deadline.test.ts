import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { FAULTS } from '../../local/data-plane-faults.ts';
import { type FaultProxy, startFaultProxy } from '../../local/fault-proxy.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { until } from '../fixtures/sse.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';

let puppet: PuppetAgent;
let near: System;
let proxy: FaultProxy;
let system: System;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  const runtimes = [
    {
      id: 'puppet',
      name: 'PuppetAgent',
      runtimeArn,
      target: puppet.target,
      qualifier: 'prod',
      qualifiers: ['prod'],
    },
  ];
  near = await startSystem({ runtimes: runtimes.map(({ qualifier: _default, ...runtime }) => runtime) });
  proxy = await startFaultProxy({ target: near.dataPlane.url });
  system = await startSystem({
    runtimes: runtimes.map(({ qualifiers: _known, ...runtime }) => runtime),
    // The deadline comes first: every other limit is far away.
    runtime: { timeoutMs: 1500 },
    environment: {
      DEADLINE_RESERVE_MS: '700',
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: proxy.url,
      RETRY_BASE_MS: '200',
      RETRY_MAX_MS: '200',
      MAX_RETRIES: '50',
    },
  });
  // Loaded and warm, so that the time is spent in the phase that is meant.
  await fetch(`${system.url}/health`);
});
afterEach(async () => {
  proxy.blackhole(false);
  near.dataPlane.fault(runtimeArn, undefined);
  await until(() => system.runtime.environments[0]?.state === 'idle', 'the environment is idle');
  expect(system.runtime.environments.map(({ id }) => id)).toEqual([1]);
});
afterAll(async () => {
  await system.close();
  await proxy.close();
  await near.close();
  await puppet.close();
});

const PHASES: [phase: string, begin: () => void, prompt: string, promptSent: boolean, text: string][] = [
  ['connecting', () => proxy.blackhole(true), script(), false, ''],
  ['the upgrade', () => near.dataPlane.fault(runtimeArn, FAULTS.silentUpgrade()), script(), false, ''],
  ['the wait for the first chunk', () => {}, script(), true, ''],
  ['the answer', () => {}, script({ send: 'so far', everyMs: 0 }), true, 'so far'],
];

describe.each(PHASES)('the Lambda deadline during %s', (_phase, begin, prompt, promptSent, text) => {
  test.each(['/', '/api/agents/invoke'])(
    'ends POST %s with AgentTimeout, and the environment lives',
    async (path) => {
      begin();

      const response = await fetch(system.url + path, {
        method: 'POST',
        body: JSON.stringify({ agentId: 'puppet', prompt }),
      });
      const body = await response.text();

      expect(response.status).toBe(text ? 200 : 504);
      expect(body).toContain('AgentTimeout');
      expect(body).toContain(`"promptSent":${promptSent}`);
      expect(body).toContain(`"retryable":${!promptSent}`);
      expect(body).toContain(text);
    },
  );
});

test('the Lambda deadline is not passed by a retry: the cause is told before it', async () => {
  near.dataPlane.fault(runtimeArn, FAULTS.refuse(503));
  const startedAt = performance.now();

  const response = await fetch(system.url, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'puppet', prompt: script() }),
  });

  expect([response.status, performance.now() - startedAt < 1400]).toEqual([503, true]);
  await response.text();
});

test('an endpoint other than DEFAULT is asked by its name', async () => {
  const response = await fetch(system.url, {
    method: 'POST',
    body: JSON.stringify({ agentId: 'puppet', prompt: script({ send: 'from prod' }, { send: '[DONE]' }) }),
  });

  expect(await response.text()).toContain('from prod');
  expect(near.dataPlane.requests.at(-1)?.path).toContain('?qualifier=prod');
});
