const LINE_END = /\r\n?|\n/g;

/**
 * An incremental reader of server-sent events, for the one thing that this contract uses: their data. It takes
 * text cut at any place and returns what each event that is now complete carries; the lines of an event's data
 * are joined by LF. Comments and other fields are skipped.
 *
 * @param onId told of the id of each event that has one, when the event is complete
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createSseReader(onId?: (id: string) => void): (text: string) => string[] {
  /** The line that has not ended yet. Only new text is searched: a line of megabytes costs no O(n²). */
  let line = '';
  let data: string | undefined;
  let id: string | undefined;
  /** The last text ended with CR: an LF that comes next belongs to it. */
  let endedWithCr = false;

  return (text) => {
    const events: string[] = [];
    if (text === '') return events;
    let start = endedWithCr && text[0] === '\n' ? 1 : 0;
    endedWithCr = text.endsWith('\r');
    LINE_END.lastIndex = start;
    for (let end = LINE_END.exec(text); end; end = LINE_END.exec(text)) {
      line += text.slice(start, end.index);
      start = LINE_END.lastIndex;
      if (line === '') {
        if (data !== undefined) {
          events.push(data);
          if (id !== undefined) onId?.(id);
        }
        data = id = undefined;
      } else if (line === 'data' || line.startsWith('data:')) {
        const value = line.slice(line[5] === ' ' ? 6 : 5);
        data = data === undefined ? value : `${data}\n${value}`;
      } else if (line.startsWith('id:')) id = line.slice(line[3] === ' ' ? 4 : 3);
      line = '';
    }
    line += text.slice(start);
    return events;
  };
}
