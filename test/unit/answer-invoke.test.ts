import { describe, expect, test } from '@jest/globals';
import { answerInvoke } from '../../lambda/http/invoke.ts';
import type { RequestTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { upstreamOf } from '../fixtures/raw-peer.ts';

const telemetry: RequestTelemetry = {
  log: { info: () => {}, warn: () => {} },
  about: () => {},
  finish: async () => {},
};

/** Answers a request that asks for an event stream, at once, where the platform refuses to open one. */
const answer = (headers: Record<string, unknown> = {}) =>
  answerInvoke({
    event: { headers, body: JSON.stringify({ agentId: 'raw', prompt: 'hello' }) },
    defaultFormat: 'sse',
    respond: () => {
      throw new Error('the stream cannot be opened');
    },
    upstream: upstreamOf('http://127.0.0.1:1', { environment: { COMMIT_AFTER_MS: '0' } }),
    telemetry,
    requestId: 'request-1',
    xRayTraceId: undefined,
    remainingMs: () => 900_000,
  });

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('a request whose answer cannot even begin', () => {
  test('leaves no timer behind, which would run for 15 minutes', async () => {
    const before = timers();

    const failure = await answer().catch((error: unknown) => error);

    expect(failure).toMatchObject({ message: 'the stream cannot be opened' });
    expect(timers()).toBe(before);
  });
});
