import { StreamError } from '../errors.ts';
import { eventIdOf, placeOf } from '../protocols/event-id.ts';
import { countEvents, native } from '../protocols/native.ts';
import { createLogReader, isContent } from '../sessions/answer-log.ts';
import type { SessionStore } from '../sessions/store.ts';
import type { Answered, Call } from './call.ts';
import { replayAnswer } from './replay.ts';
import type { SessionPath } from './routes.ts';
import { namedSession } from './session-of.ts';

/** Returns what the store knows of a session: whether an answer runs, and the id of its last event. */
export function sessionState(call: Call, path: SessionPath): Promise<object> {
  const { sessionId, key, runtimeSession } = namedSession(call, path);
  const session = { sessionId, agentId: runtimeSession.agent.entry.id };
  return withStore(call, async (store) => {
    const state = await store.read(key);
    if (!state) return { ...session, state: 'unknown' };
    const { requestId, isRunning } = state;
    const { log } = await store.readLog(requestId, 0);
    const entries = createLogReader()(log);
    const count = countEvents(entries.filter(isContent), entries.at(-1)?.type === 'ended');
    const lastEventId = entries.length > 0 ? eventIdOf(requestId, count - 1) : undefined;
    return { ...session, state: isRunning ? 'running' : 'idle', requestId, lastEventId };
  });
}

/** Asks the running answer to stop, whichever process it runs in. */
export function stopAnswer(call: Call, path: SessionPath): Promise<object> {
  const { key } = namedSession(call, path);
  return withStore(call, async (store) => ({ stopped: await store.stop(key) }));
}

/** Sends the running or last answer of a session as events, from the place where the reader left off. */
export function streamSession(call: Call, path: SessionPath): Promise<Answered> {
  const session = namedSession(call, path);
  const place = placeOf(call.request.headers['last-event-id'] ?? afterOf(call.request.query));
  return withStore(call, async (store) => {
    const requestId = place?.requestId ?? (await store.read(session.key))?.requestId;
    return replayAnswer(call, {
      store,
      requestId,
      session: session.key,
      protocol: native,
      replay: place ? { after: place.after } : {},
      isReadable: (head) => head.session === session.key,
    });
  });
}

function afterOf(query: string): string | undefined {
  return new URLSearchParams(query).get('after') ?? undefined;
}

/** @throws StreamError NotFound when no sessions are kept, AgentUnavailable when the store fails */
export async function withStore<T>({ store }: Call, use: (store: SessionStore) => Promise<T>): Promise<T> {
  if (store === undefined) {
    throw new StreamError('NotFound', 'no such route, because this service keeps no sessions');
  }
  try {
    return await use(await store);
  } catch (cause) {
    if (cause instanceof StreamError) throw cause;
    throw new StreamError('AgentUnavailable', 'the session store is not available', { cause });
  }
}
