/** Characters that JSON does not escape, but at which some readers of lines (Python's among them) end a line. */
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/;
const EVERY_LINE_SEPARATOR = new RegExp(LINE_SEPARATORS, 'g');

/** Writes JSON in which no reader finds a line end. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (!LINE_SEPARATORS.test(json)) return json;
  return json.replace(
    EVERY_LINE_SEPARATOR,
    (separator) => `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The properties that all protocols of server-sent events share. */
export const EVENT_STREAM = {
  mediaType: 'text/event-stream',
  contentType: 'text/event-stream; charset=utf-8',
  fillsSilence: true,
  // No blank line follows the comments: @microsoft/fetch-event-source would make a message without data of it.
  heartbeat: ': keep-alive\n',
  nudge: ':\n',
} as const;

/** One server-sent event: a `data: ` line of JSON and a blank line. */
export function sseEvent(data: object): string {
  return `data: ${jsonLine(data)}\n\n`;
}
