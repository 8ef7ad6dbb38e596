import { describe, expect, test } from '@jest/globals';
import { answerInvoke } from '../../lambda/http/invoke.ts';
import { callOf } from '../fixtures/call.ts';
import { upstreamOf } from '../fixtures/raw-peer.ts';

/** Answers a request that asks for an event stream, at once, where the platform refuses to open one. */
const answer = () => {
  const call = callOf(
    { agentId: 'raw', prompt: 'hello' },
    {
      respond: () => {
        throw new Error('the stream cannot be opened');
      },
      upstream: upstreamOf('http://127.0.0.1:1', { environment: { COMMIT_AFTER_MS: '0' } }),
    },
  );
  return answerInvoke(call, { defaultFormat: 'sse' });
};

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('a request whose answer cannot even begin', () => {
  test('leaves no timer behind, which would run for 15 minutes', async () => {
    const before = timers();

    const failure = await answer().catch((error: unknown) => error);

    expect(failure).toMatchObject({ message: 'the stream cannot be opened' });
    expect(timers()).toBe(before);
  });
});
