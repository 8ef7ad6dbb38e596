import { expect, test } from '@jest/globals';
import { startSystem } from '../../local/system.ts';
import { invokeSse, until } from '../fixtures/sse.ts';

test('from the start of a cold environment to the first chunk takes under two seconds with 20 ms each way', async () => {
  const system = await startSystem({ agents: { tokenDelayMs: 0 }, network: { latencyMs: 20 } });
  try {
    const { events } = await invokeSse(system.url, { agentId: 'onboarding', prompt: 'a website' });

    expect(events[1]?.data).toHaveProperty('chunk');
    // A TCP handshake, an upgrade and the prompt are three round trips of 40 ms.
    expect(events[1]?.atMs).toBeGreaterThan(120);
    expect(events[1]?.atMs).toBeLessThan(2000);
    await until(() => system.runtime.environments[0]?.state === 'idle', 'the environment is idle');
    expect(system.runtime.environments).toHaveLength(1);
  } finally {
    await system.close();
  }
});
