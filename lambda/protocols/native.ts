import type { Protocol, ProtocolWriter } from '../answer/protocol.ts';
import type { ContentEvent } from '../events.ts';
import { readInvokeRequest } from './invoke-request.ts';
import { EVENT_STREAM, jsonLine, sseEvent } from './sse-event.ts';

/**
 * This service's own server-sent events: one `data: ` line of JSON each, in which no line break can stand unescaped.
 * A reader that knows text alone ignores every line without `chunk`, `done` or `error`.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const native: Protocol = {
  ...EVENT_STREAM,
  // A reader that splits each network read loses an event that is cut in two, and big ones nearly always are.
  maxTextLength: 4096,
  inlinesData: true,
  readRequest: readInvokeRequest,
  createWriter: ({ sessionId, agentId, requestId, sessionReplaced }): ProtocolWriter => ({
    open: () =>
      sseEvent({ start: true, sessionId, agentId, requestId, ...(sessionReplaced && { sessionReplaced }) }),
    event: write,
    done: ({ chunks, bytes, durationMs, interrupted, stopped }) =>
      sseEvent({ done: true, sessionId, chunks, bytes, durationMs, interrupted, stopped }),
    fail: (error, { chunks }) =>
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
  }),
};

function write(event: ContentEvent): string {
  switch (event.type) {
    case 'text':
      // As sseEvent({ chunk }) would, without the object.
      return `data: {"chunk":${jsonLine(event.text)}}\n\n`;
    case 'reasoning':
      return sseEvent({ reasoning: event.text });
    case 'usage': {
      const { type: _type, ...usage } = event;
      return sseEvent({ usage });
    }
    case 'data':
      return sseEvent({ data: { name: event.name, value: event.value } });
    default: {
      const { type, ...fields } = event;
      return sseEvent({ [type]: fields });
    }
  }
}
