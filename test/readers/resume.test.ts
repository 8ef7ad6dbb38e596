import { afterEach, expect, test } from '@jest/globals';
import { type FaultProxy, startFaultProxy } from '../../local/faults/fault-proxy.ts';
import { type System, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { newSessionId } from '../fixtures/sse.ts';
import { type Reading, readInNode } from './readers.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Puppet-0123456789';
const WORDS = Array.from({ length: 12 }, (_, i) => `w${i} `).join('');

let puppet: PuppetAgent;
let system: System;
let network: FaultProxy;
let reading: Reading;

afterEach(async () => {
  await reading?.close();
  await network?.close();
  await system?.close();
  await puppet?.close();
});

test('eventsource-client reads a cut answer on by itself where sessions are kept, and asks the agent once', async () => {
  const asked: (string | undefined)[] = [];
  puppet = await startPuppetAgent();
  system = await startSystem({
    runtimes: [{ id: 'puppet', name: 'PuppetAgent', runtimeArn, target: puppet.target }],
    sessions: true,
    environment: { SESSION_STORE_WAIT_MS: '5000' },
    functionUrl: {
      page: ({ method, headers }) => {
        if (method === 'POST') asked.push(headers['last-event-id']?.toString());
        return false;
      },
    },
  });
  network = await startFaultProxy({ target: system.url });
  let isCut = false;
  reading = await readInNode((text) => {
    if (isCut || !text.endsWith('w3 ')) return;
    isCut = true;
    network.reset();
  });

  const outcome = await reading.read(
    'eventsource-client',
    {
      url: network.url,
      request: {
        agentId: 'puppet',
        sessionId: newSessionId(),
        prompt: script({ send: 'w{i} ', times: 12, everyMs: 250 }, { send: '[DONE]' }),
      },
    },
    true,
  );

  expect(outcome).toEqual({ text: WORDS });
  const places = asked.map((id) => id?.split(':').map((part, i) => (i === 0 ? part.length : Number(part))));
  // The first event is the start, then come the words, and the end; after which it asks a last time, and gets 204.
  expect(places).toEqual([undefined, [36, expect.any(Number)], [36, 13]]);
  expect(places[1]?.[1]).toBeGreaterThanOrEqual(4);
  expect(puppet.prompts).toHaveLength(1);
});
