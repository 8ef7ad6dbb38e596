import type { ResponseFormat } from './format.ts';

/** UTF-16 units. The existing client loses an event that is split over two reads, and big ones nearly always are. */
const MAX_CHUNK_LENGTH = 4096;

/**
 * Server-sent events: one `data: ` line of JSON each, in which no line break can stand unescaped.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const sse: ResponseFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  fillsSilence: true,
  open: ({ sessionId, agentId, requestId }) => event({ start: true, sessionId, agentId, requestId }),
  cut,
  // As event({ chunk }) would, without the object.
  chunk: (text) => `data: {"chunk":${JSON.stringify(text)}}\n\n`,
  heartbeat: ': keep-alive\n\n',
  nudge: ':\n\n',
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

/** Cuts a long text, never inside a surrogate pair. */
function cut(text: string): string[] {
  if (text.length <= MAX_CHUNK_LENGTH) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MAX_CHUNK_LENGTH, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1)) && end - start > 1) end -= 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
