import { describe, expect, test } from '@jest/globals';
import { AgentError, type AgentErrorCode, streamAgent } from '../../client/stream-agent.ts';
import { explain } from '../../local/playground/explain.ts';

const errorOf = (code: AgentErrorCode, fields: Partial<AgentError> = {}) =>
  new AgentError({ code, message: 'x', retryable: false, promptSent: true, ...fields });

describe('the advice', () => {
  test.each([
    ['AgentInterrupted', '', 'No text had arrived.'],
    ['AgentInterrupted', 'so far', 'What had arrived is shown above.'],
    ['AgentTimeout', '', 'It did not answer within the time it has.'],
    ['AgentTimeout', 'so far', 'It stopped answering before its answer was complete.'],
  ] as const)('for %s after the text "%s" speaks of what is shown', (code, partialText, advice) => {
    expect(explain(errorOf(code, { partialText })).advice).toBe(advice);
  });

  test('to try again names no time, which would be wrong a moment later', () => {
    const details = { retryAfterSeconds: 9 };

    const { again } = explain(errorOf('Throttled', { retryable: true, promptSent: false, details }));

    expect(again).toBe('The agent did not get your prompt. Trying again is safe.');
  });
});

describe('a refusal', () => {
  const refusalOf = async (status: number, body: object): Promise<AgentError> => {
    const fetch = async () => Response.json(body, { status });
    const events = streamAgent('https://example.test/', { agentId: 'onboarding', prompt: 'hi', fetch });
    return (await events.next().catch((error: unknown) => error)) as AgentError;
  };

  test.each([
    [401, { message: 'Unauthorized' }],
    [403, { Message: 'Forbidden' }],
  ])('of somebody in front of the service, status %d, is of the person', async (status, body) => {
    expect(explain(await refusalOf(status, body)).title).toBe('You are not allowed to call this service');
  });

  test('of the service itself is of the service', async () => {
    const error = await refusalOf(403, {
      error: 'AccessDenied',
      message: 'this service is not allowed to invoke the agent',
      requestId: '8f507cfc',
      retryable: false,
      promptSent: false,
      details: { agentId: 'onboarding', sessionId: '0b6f7c1e' },
    });

    expect(explain(error).title).toBe('The service may not call this agent');
  });
});
