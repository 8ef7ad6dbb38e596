import { placeOf } from '../protocols/event-id.ts';
import { native } from '../protocols/native.ts';
import { bindSession } from '../sessions/binding.ts';
import { isSessionId } from '../sessions/session-id.ts';
import { readObject } from './body.ts';
import type { Answered, Call } from './call.ts';
import { replayAnswer } from './replay.ts';
import { withStore } from './session-store.ts';

/**
 * Sends the rest of an answer to a reader that repeats its request after a lost connection. Such a request has a
 * Last-Event-ID. Its prompt is not sent a second time, even if the answer is not found.
 *
 * @returns undefined for any other request
 */
export function resumed(call: Call): Promise<Answered> | undefined {
  const place = placeOf(call.request.headers['last-event-id']);
  if (!place || !call.store) return undefined;
  const { request, upstream } = call;
  return withStore(call, async (store) => {
    const { sessionId } = await readObject(request);
    return replayAnswer(call, {
      store,
      requestId: place.requestId,
      protocol: native,
      replay: { after: place.after },
      isReadable: (head) =>
        (!isSessionId(sessionId) || sessionId === head.sessionId) &&
        bindSession(head.sessionId, request.identity, upstream.config).owner === head.owner,
    });
  });
}
