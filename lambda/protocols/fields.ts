import type { ReadOptions } from '../answer/protocol.ts';
import { StreamError } from '../errors.ts';
import { isObject } from '../framing/document.ts';

/** Names the kind of a value, and not the value itself, which may be a prompt. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`.replace('a object', 'an object');
}

/** Makes the error of a wrong field. @param given the words in the message for the given value */
export function wrongField(
  { sessionId }: { sessionId: string },
  field: string,
  expected: string,
  given = 'nothing',
): StreamError {
  return new StreamError('BadRequest', `"${field}": expected ${expected}, got ${given}`, {
    details: { sessionId, fields: [field] },
  });
}

/** Returns the agent of the path, otherwise the first agent that the body names, if any. */
export function namedAgent(
  session: { sessionId: string },
  { agentId: ofPath }: ReadOptions,
  ...ofBody: unknown[]
): { agentId?: string } {
  const agentId = ofPath ?? ofBody.find((named) => named !== undefined);
  if (agentId === undefined) return {};
  if (typeof agentId === 'string' && agentId !== '') return { agentId };
  throw wrongField(session, 'agentId', 'a non-empty string', describe(agentId));
}

/**
 * Reads the prompt.
 *
 * @param field the field of the body that has the prompt
 * @throws StreamError BadRequest or PayloadTooLarge
 */
export function readPrompt(
  session: { sessionId: string },
  field: string,
  prompt: unknown,
  { maxPromptBytes }: ReadOptions,
): { prompt: string; promptBytes: number } {
  if (typeof prompt !== 'string' || prompt === '') {
    const expected = field === 'prompt' ? 'a non-empty string' : 'a text in the last message';
    throw wrongField(session, field, expected, describe(prompt));
  }
  const promptBytes = Buffer.byteLength(prompt);
  if (promptBytes <= maxPromptBytes) return { prompt, promptBytes };
  throw new StreamError(
    'PayloadTooLarge',
    `"${field}": expected at most ${maxPromptBytes} bytes of UTF-8, got ${promptBytes}`,
    { details: { sessionId: session.sessionId, fields: [field] } },
  );
}

/** Reads further keys for the agent. @throws StreamError BadRequest */
export function readPayload(
  session: { sessionId: string },
  payload: unknown,
): { payload?: Record<string, unknown> } {
  if (payload === undefined) return {};
  if (isObject(payload)) return { payload };
  throw wrongField(session, 'payload', 'an object', describe(payload));
}
