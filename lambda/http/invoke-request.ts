import { StreamError } from '../errors.ts';
import { isObject } from '../framing/document.ts';
import { acceptOrMintSessionId } from '../sessions/session-id.ts';
import { describe } from './body.ts';

export interface InvokeRequest {
  agentId: string;
  prompt: string;
  /** Of UTF-8. */
  promptBytes: number;
  sessionId: string;
  /** The caller's session id was none, and {@link sessionId} took its place. */
  sessionReplaced?: true;
  /** Further keys for the agent. */
  payload?: Record<string, unknown>;
}

/**
 * Reads the body of an invoke request. Unknown fields are ignored, an invalid session id is replaced.
 *
 * @throws StreamError BadRequest naming the field, or PayloadTooLarge; `details.sessionId` is always there
 */
export function readInvokeRequest(body: Record<string, unknown>, maxPromptBytes: number): InvokeRequest {
  const sessionId = acceptOrMintSessionId(body.sessionId);
  const { agentId, prompt, payload } = body;
  const reject = (field: string, expected: string, came: unknown): never => {
    throw new StreamError('BadRequest', `"${field}": expected ${expected}, got ${describe(came)}`, {
      details: { sessionId, fields: [field] },
    });
  };
  if (typeof agentId !== 'string' || agentId === '') return reject('agentId', 'a non-empty string', agentId);
  if (typeof prompt !== 'string' || prompt === '') return reject('prompt', 'a non-empty string', prompt);
  const promptBytes = Buffer.byteLength(prompt);
  if (promptBytes > maxPromptBytes) {
    throw new StreamError(
      'PayloadTooLarge',
      `"prompt": expected at most ${maxPromptBytes} bytes of UTF-8, got ${promptBytes}`,
      { details: { sessionId, fields: ['prompt'] } },
    );
  }
  if (payload !== undefined && !isObject(payload)) return reject('payload', 'an object', payload);
  const sessionReplaced = body.sessionId !== undefined && body.sessionId !== sessionId;
  return {
    agentId,
    prompt,
    promptBytes,
    sessionId,
    ...(sessionReplaced && { sessionReplaced }),
    ...(payload && { payload }),
  };
}
