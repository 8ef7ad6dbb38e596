import type { ResponseFormat } from '../answer/protocol.ts';

/**
 * Server-sent events: one `data: ` line of JSON each, in which no line break can stand unescaped.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const sse: ResponseFormat = {
  mediaType: 'text/event-stream',
  contentType: 'text/event-stream; charset=utf-8',
  fillsSilence: true,
  open: ({ sessionId, agentId, requestId }) => event({ start: true, sessionId, agentId, requestId }),
  // A reader that splits each network read loses an event that is cut in two, and big ones nearly always are.
  maxChunkLength: 4096,
  // As event({ chunk }) would, without the object.
  chunk: (text) => `data: {"chunk":${JSON.stringify(text)}}\n\n`,
  // Without a blank line behind them: of one, @microsoft/fetch-event-source makes a message without data.
  heartbeat: ': keep-alive\n',
  nudge: ':\n',
  done: ({ sessionId }, stats) => event({ done: true, sessionId, ...stats }),
  fail: ({ sessionId, requestId }, { chunks }, error) =>
    event({
      error: error.publicMessage,
      code: error.code,
      retryable: error.retryable,
      promptSent: error.promptSent,
      partial: chunks > 0,
      sessionId,
      requestId,
      details: error.publicDetails(),
    }),
};

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
