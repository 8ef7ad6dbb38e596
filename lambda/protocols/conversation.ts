import { isObject, type JsonObject } from '../framing/document.ts';
import { acceptOrMintSessionId, isSessionId } from '../sessions/session-id.ts';

/** The session of a request, as the readers of all protocols return it. */
export interface ReadSession {
  sessionId: string;
  /** The session id that the caller named is not valid, and another one replaces it. */
  sessionReplaced?: true;
}

interface ConversationIds {
  /** The session id that the caller names. */
  named: unknown;
  /** The kit's id of the conversation. */
  conversation: unknown;
  messages: readonly unknown[];
}

/**
 * Returns the session in which a conversation continues: the session that the caller names, otherwise the
 * conversation's own id if it has the form of a session id, otherwise the session that an earlier answer told,
 * otherwise a new session. A short id is not made longer: it is often a constant of the page, and all users of the page
 * would share one session.
 */
export function conversationSession({ named, conversation, messages }: ConversationIds): ReadSession {
  const sessionId = [named, conversation, ...toldIds(messages)].find(isSessionId);
  const isReplaced = named !== undefined && named !== null && named !== sessionId;
  return {
    sessionId: sessionId ?? acceptOrMintSessionId(undefined),
    ...(isReplaced && { sessionReplaced: true }),
  };
}

/** Yields the session ids in the metadata of our own earlier answers, those of the last answer first. */
function* toldIds(messages: readonly unknown[]): Generator<unknown> {
  for (const message of messages.toReversed()) {
    if (!isObject(message) || message.role === 'user') continue;
    yield sessionIn(message);
    const calls = Array.isArray(message.toolCalls) ? message.toolCalls : [];
    for (const call of calls) yield sessionIn(call);
  }
}

function sessionIn(message: unknown): unknown {
  const metadata = isObject(message) ? message.metadata : undefined;
  return isObject(metadata) ? metadata.sessionId : undefined;
}

export function lastMessage(messages: readonly unknown[]): JsonObject | undefined {
  const last = messages.at(-1);
  return isObject(last) ? last : undefined;
}

/** Returns the text of a message: a string, or the text blocks of a list. Other blocks are left out. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .filter((part) => isObject(part) && part.type === 'text' && typeof part.text === 'string')
    .map(({ text }) => text)
    .join('\n');
}
