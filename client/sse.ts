const LINE_END = /\r\n?|\n/g;

/**
 * Creates an incremental reader of server-sent events. The reader takes text that is cut at any place, and returns the
 * data of each event that the text completes. LF joins the data lines of one event. Comments and the fields other than
 * `data` and `id` are skipped: this contract does not use them.
 *
 * @param onId called with the id of each complete event that has both data and an id
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createSseReader(onId?: (id: string) => void): (text: string) => string[] {
  /** The line that has not ended yet. Only new text is searched, so that a line of megabytes costs no O(n²). */
  let line = '';
  let data: string | undefined;
  let id: string | undefined;
  /** The last text ended with CR: an LF at the beginning of the next text belongs to the same line end. */
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
