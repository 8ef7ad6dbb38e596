import { cut } from '../answer/cut.ts';
import type { Protocol, ProtocolWriter } from '../answer/protocol.ts';
import type { ContentEvent } from '../events.ts';
import { eventIdOf } from './event-id.ts';
import { readInvokeRequest } from './invoke-request.ts';
import { EVENT_STREAM, jsonLine, sseEvent } from './sse-event.ts';

/**
 * This service's own server-sent events. Each event is one `data: ` line of JSON without an unescaped line break. A
 * reader that knows only text ignores every line without `chunk`, `done` or `error`.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const native: Protocol = {
  ...EVENT_STREAM,
  // A reader that splits each network read loses an event that the network cuts, as it nearly always cuts big events.
  maxTextLength: 4096,
  inlinesData: true,
  readRequest: readInvokeRequest,
  createWriter: ({ sessionId, agentId, requestId, sessionReplaced, replay }): ProtocolWriter => {
    /** Adds the event's place in the answer. An event that the reader already has is left out. */
    const placed = (number: number, event: string): string => {
      if (replay === undefined) return event;
      return number > (replay.after ?? -1) ? `id: ${eventIdOf(requestId, number)}\n${event}` : '';
    };
    // The start is made after the first text but sent before it, so it does not take the next number but 0.
    let count = 0;
    const next = (event: string) => placed(++count, event);
    const start = { start: true, sessionId, agentId, requestId, ...(sessionReplaced && { sessionReplaced }) };
    return {
      open: () => placed(0, sseEvent(start)),
      event: (event) => next(write(event)),
      done: ({ chunks, bytes, durationMs, interrupted, stopped }) =>
        next(sseEvent({ done: true, sessionId, chunks, bytes, durationMs, interrupted, stopped })),
      fail: (error, { chunks }) =>
        next(
          sseEvent({
            error: error.publicMessage,
            code: error.code,
            retryable: error.retryable,
            promptSent: error.promptSent,
            partial: chunks > 0,
            sessionId,
            requestId,
            details: error.publicDetails(),
          }),
        ),
    };
  },
};

/** Returns how many events an answer has so far: the start, the agent's events, and the end if it has ended. */
export function countEvents(events: readonly ContentEvent[], hasEnded: boolean): number {
  const ofAgent = events.reduce((sum, event) => sum + Math.max(1, piecesOf(event)), 0);
  return 1 + ofAgent + (hasEnded ? 1 : 0);
}

function piecesOf(event: ContentEvent): number {
  if (event.type === 'text') return cut(event.text, native.maxTextLength).length;
  return event.type === 'data' && event.inline ? cut(event.raw, native.maxTextLength).length : 1;
}

function write(event: ContentEvent): string {
  switch (event.type) {
    case 'text':
      // The result is that of sseEvent({ chunk }), but no object is made.
      return `data: {"chunk":${jsonLine(event.text)}}\n\n`;
    case 'reasoning':
      return sseEvent({ reasoning: event.text });
    case 'data':
      return sseEvent({ data: { name: event.name, value: event.value } });
    default: {
      const { type, ...fields } = event;
      return sseEvent({ [type]: fields });
    }
  }
}
