import { createParser } from 'eventsource-parser';
import { END_MARK } from '../end-mark.ts';
import { type Document, documentOf, isObject, type Problem, parseJson } from './document.ts';
import { type Framing, TOO_LONG } from './framing.ts';

/** A line of one of the fields, without its end. */
const FIELD = /^(data|event|id|retry):/;
const LINE_END = /\r\n|\r|\n/;

/**
 * Server-sent events.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const sse: Framing = {
  contentTypes: ['text/event-stream'],
  recognises(start, isBody) {
    // A body of events says so by its content type.
    if (isBody) return false;
    const lines = start.split(LINE_END);
    const written = lines.filter((line) => line !== '');
    const [first = ''] = lines;
    if (isComment(first) && (first !== ':' || lines.length > 1)) {
      if (lines.some((line) => line.startsWith('data:'))) return true;
      // A comment tells SSE from text only by what follows it.
      return written.every((line) => isComment(line) || FIELD.test(line)) ? undefined : false;
    }
    if (!FIELD.test(first)) return false;
    if (lines.length === 1) return isWholeEvent(first);
    return written.some((line) => line.startsWith('data:')) || written.every((line) => FIELD.test(line));
  },
  createReader({ isBody, maxDocumentLength }) {
    let items: (Document | Problem)[] = [];
    let overflown = false;
    /** The text so far ends where an event ends. */
    let isBetweenEvents = true;
    /** The first event tells: a single token may well look like a frame. */
    let isFramedTwice: boolean | undefined;
    let spansMessages: boolean | undefined = isBody || undefined;
    const parser = createParser({
      maxBufferSize: maxDocumentLength,
      onEvent({ event, data }) {
        isFramedTwice ??= innerData(data) !== undefined;
        const document = documentOf((isFramedTwice ? innerData(data) : undefined) ?? data);
        if (event) document.event = event.toLowerCase();
        items.push(document);
      },
      onError({ type }) {
        if (type !== 'max-buffer-size-exceeded') return;
        overflown = true;
        items.push(TOO_LONG);
      },
    });
    return {
      read(message) {
        items = [];
        if (overflown) return items;
        if (!isBody && (isBetweenEvents || spansMessages === false) && isBareDocument(message)) {
          return [documentOf(message)];
        }
        isBetweenEvents = endsEvent(message);
        // Messages without data tell nothing: what they begin may go on in the next one.
        if (spansMessages === undefined && hasData(message)) spansMessages = isBetweenEvents;
        parser.feed(spansMessages === false ? `${message}\n\n` : message);
        return items;
      },
      // The standard drops an event that its blank line has not ended.
      flush: () => [],
    };
  },
};

function isComment(line: string): boolean {
  return line === ':' || line.startsWith(': ');
}

function hasData(message: string): boolean {
  return /(^|[\r\n])data/.test(message);
}

/** A message without a line end is an event if its data is whole; plain text may well begin with "data: ". */
function isWholeEvent(line: string): boolean {
  const data = line.startsWith('data:') ? line.slice('data:'.length).trim() : '';
  return data === END_MARK || parseJson(data) !== undefined;
}

/** Whether a text ends with a blank line: with two line ends, of which CRLF is one. */
function endsEvent(text: string): boolean {
  // Nearly all end so.
  return text.endsWith('\n\n') || /(?:\r\n|\r(?!\n)|(?<!\r)\n){2}$/.test(text);
}

/** A message between events that is no SSE at all. */
function isBareDocument(message: string): boolean {
  if (FIELD.test(message)) return false;
  const start = message.trimStart();
  return start.trimEnd() === END_MARK || (start.startsWith('{') && isObject(parseJson(message)));
}

/** What is inside of data that is itself a `data: ` line, of an agent whose output was framed twice. */
function innerData(data: string): string | undefined {
  if (!data.startsWith('data:') && !data.startsWith('"data:')) return undefined;
  const value = parseJson(data);
  const inner = /^data: ?(.*?)[\r\n]*$/.exec(typeof value === 'string' ? value : data)?.[1];
  return inner !== undefined && isWholeEvent(`data: ${inner}`) ? inner : undefined;
}
