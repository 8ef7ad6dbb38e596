import { expect, test } from '@jest/globals';
import { startFaultProxy } from '../../local/fault-proxy.ts';
import { startSystem } from '../../local/system.ts';
import { invokeSse, until } from '../fixtures/sse.ts';

test('from the start of a cold environment to the first chunk takes under two seconds with 20 ms each way', async () => {
  const target = await startSystem({ agents: { tokenDelayMs: 0 } });
  const proxy = await startFaultProxy({ target: target.dataPlane.url, latencyMs: 20 });
  const distant = await startSystem({
    runtimes: target.agents.map(({ promptsReceived: _asked, ...agent }) => agent),
    environment: { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: proxy.url },
  });
  try {
    const { events } = await invokeSse(distant.url, { agentId: 'onboarding', prompt: 'a website' });

    expect(events[1]?.data).toHaveProperty('chunk');
    // A TCP handshake, an upgrade and the prompt are three round trips of 40 ms.
    expect(events[1]?.atMs).toBeGreaterThan(120);
    expect(events[1]?.atMs).toBeLessThan(2000);
    await until(() => distant.runtime.environments[0]?.state === 'idle', 'the environment is idle');
    expect(distant.runtime.environments).toHaveLength(1);
  } finally {
    await distant.close();
    await proxy.close();
    await target.close();
  }
});
