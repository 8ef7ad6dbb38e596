import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../lambda/config.ts';
import { admit } from '../../lambda/http/admission.ts';
import { PROTOCOLS } from '../../lambda/protocols/protocols.ts';
import { SETTINGS } from '../../lambda/settings.ts';
import { callOf } from '../fixtures/call.ts';
import { upstreamOf } from '../fixtures/raw-peer.ts';

const MINUTE_MS = 60_000;

/** The time that an answer gets on a host that allows a request so long. */
async function limitOf(environment: Record<string, string>, requestMs: number) {
  const upstream = upstreamOf('http://127.0.0.1:1');
  const config = readConfig(
    { AGENTS: JSON.stringify([upstream.config.agents[0]?.entry]), ...environment },
    SETTINGS,
  );
  const call = callOf(
    { agentId: 'raw', prompt: 'hello' },
    {
      respond: () => {
        throw new Error('it is admitted and not answered');
      },
      upstream: { ...upstream, config },
      remainingMs: () => requestMs,
    },
  );
  return (await admit(call, PROTOCOLS.sse, undefined)).limitMs;
}

describe('an answer', () => {
  test.each<[where: string, environment: Record<string, string>, requestMs: number, limitMs: number]>([
    ['of a request of 15 minutes, less the reserve', {}, 15 * MINUTE_MS, 15 * MINUTE_MS - 3000],
    ['in a container whose requests alone may take an hour', {}, 60 * MINUTE_MS, 15 * MINUTE_MS],
    [
      'in a container that allows an hour',
      { MAX_DURATION_MS: '3600000' },
      60 * MINUTE_MS,
      60 * MINUTE_MS - 3000,
    ],
    ['that is bounded itself', { MAX_DURATION_MS: '60000' }, 15 * MINUTE_MS, MINUTE_MS],
  ])('has the time %s', async (_where, environment, requestMs, limitMs) => {
    expect(await limitOf(environment, requestMs)).toBe(limitMs);
  });

  test('is refused when nothing of the time is left', async () => {
    await expect(limitOf({}, 3000)).rejects.toMatchObject({ code: 'AgentTimeout' });
  });
});
