import type { ReadOptions } from '../answer/protocol.ts';
import { StreamError } from '../errors.ts';
import { isObject } from '../framing/document.ts';

/** The kind of a value; not the value, which may be a prompt. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`.replace('a object', 'an object');
}

/** @param came what a reader of the message is told that came */
export function wrongField(
  { sessionId }: { sessionId: string },
  field: string,
  expected: string,
  came = 'nothing',
): StreamError {
  return new StreamError('BadRequest', `"${field}": expected ${expected}, got ${came}`, {
    details: { sessionId, fields: [field] },
  });
}

/** The agent of the path, else the first one that the body names, if any does. */
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
 * @param field where the prompt stands
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

/** Further keys for the agent. @throws StreamError BadRequest */
export function readPayload(
  session: { sessionId: string },
  payload: unknown,
): { payload?: Record<string, unknown> } {
  if (payload === undefined) return {};
  if (isObject(payload)) return { payload };
  throw wrongField(session, 'payload', 'an object', describe(payload));
}
