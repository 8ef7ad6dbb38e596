import { placeOf } from '../protocols/event-id.ts';
import { native } from '../protocols/native.ts';
import { bindSession } from '../sessions/binding.ts';
import { isSessionId } from '../sessions/session-id.ts';
import { readObject } from './body.ts';
import type { Answered, Call } from './call.ts';
import { replayAnswer } from './replay.ts';
import { withStore } from './session-store.ts';

/**
 * The rest of an answer, for a reader that sends its request again when the connection is lost: its Last-Event-ID tells.
 * The prompt is not sent a second time, whatever is found.
 *
 * @returns undefined for a request that is none of these
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
