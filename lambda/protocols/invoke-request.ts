import type { InvokeRequest, ReadOptions } from '../answer/protocol.ts';
import { acceptOrMintSessionId } from '../sessions/session-id.ts';
import { describe, readPayload, readPrompt, wrongField } from './fields.ts';

/** Reads `{agentId, prompt, sessionId?, payload?}`, this service's own request. */
export function readInvokeRequest(body: Record<string, unknown>, options: ReadOptions): InvokeRequest {
  const sessionId = acceptOrMintSessionId(body.sessionId);
  const isReplaced = body.sessionId !== undefined && body.sessionId !== sessionId;
  const session = { sessionId, ...(isReplaced && { sessionReplaced: true as const }) };
  const { agentId } = body;
  if (typeof agentId !== 'string' || agentId === '') {
    throw wrongField(session, 'agentId', 'a non-empty string', describe(agentId));
  }
  return {
    ...session,
    agentId,
    ...readPrompt(session, 'prompt', body.prompt, options),
    ...readPayload(session, body.payload),
  };
}
