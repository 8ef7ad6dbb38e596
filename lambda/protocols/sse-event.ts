/** At these, readers by line (Python's among them) break a line, which JSON leaves as they are. */
const LINE_SEPARATORS = /[\u0085\u2028\u2029]/;
const EVERY_LINE_SEPARATOR = new RegExp(LINE_SEPARATORS, 'g');

/** JSON in which no reader finds a line end. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (!LINE_SEPARATORS.test(json)) return json;
  return json.replace(
    EVERY_LINE_SEPARATOR,
    (separator) => `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What every protocol of server-sent events has in common. */
export const EVENT_STREAM = {
  mediaType: 'text/event-stream',
  contentType: 'text/event-stream; charset=utf-8',
  fillsSilence: true,
  // Without a blank line behind them: of one, @microsoft/fetch-event-source makes a message without data.
  heartbeat: ': keep-alive\n',
  nudge: ':\n',
} as const;

/** One server-sent event: a `data: ` line of JSON and a blank line. */
export function sseEvent(data: object): string {
  return `data: ${jsonLine(data)}\n\n`;
}
