import { isObject, type JsonObject } from '../framing/document.ts';
import { acceptOrMintSessionId, isSessionId } from '../sessions/session-id.ts';

/** The session of a request, as every reader returns it. */
export interface ReadSession {
  sessionId: string;
  /** The caller named a session that cannot be one, and another took its place. */
  sessionReplaced?: true;
}

interface ConversationIds {
  /** What the caller calls the session. */
  named: unknown;
  /** The kit's id of the conversation. */
  conversation: unknown;
  messages: readonly unknown[];
}

/**
 * The session that a conversation goes on in: the one that is named, the conversation's own id where it has the form
 * of a session's, the one that an earlier answer has told, else a new one. A short id is never made longer: it is
 * often a constant of the page, and all its users would share one session.
 */
export function conversationSession({ named, conversation, messages }: ConversationIds): ReadSession {
  const sessionId = [named, conversation, ...toldIds(messages)].find(isSessionId);
  const isReplaced = named !== undefined && named !== null && named !== sessionId;
  return {
    sessionId: sessionId ?? acceptOrMintSessionId(undefined),
    ...(isReplaced && { sessionReplaced: true }),
  };
}

/** Ids in what our own answers have told, the last one first. */
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

/** The text of a message: a string, or the text blocks of a list. What is no text is left out. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .filter((part) => isObject(part) && part.type === 'text' && typeof part.text === 'string')
    .map(({ text }) => text)
    .join('\n');
}
