import { createParser } from 'eventsource-parser';
import { END_MARK } from '../end-mark.ts';
import { type Document, documentOf, isObject, type Problem, parseJson } from './document.ts';
import { type Framing, TOO_LONG } from './framing.ts';

/** A line of one of the fields, without its line end. */
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
    // A body of events has the content type of events, and is not recognised by its text.
    if (isBody) return false;
    const lines = start.split(LINE_END);
    const written = lines.filter((line) => line !== '');
    const [first = ''] = lines;
    if (isComment(first) && (first !== ':' || lines.length > 1)) {
      if (lines.some((line) => line.startsWith('data:'))) return true;
      // A comment alone may be plain text, too: the lines after it decide.
      return written.every((line) => isComment(line) || FIELD.test(line)) ? undefined : false;
    }
    if (!FIELD.test(first)) return false;
    if (lines.length === 1) return isWholeEvent(first);
    return written.some((line) => line.startsWith('data:')) || written.every((line) => FIELD.test(line));
  },
  createReader({ isBody, maxDocumentLength }) {
    let items: (Document | Problem)[] = [];
    /** Whether the text so far ends where an event ends. */
    let isBetweenEvents = true;
    /**
     * Whether each event contains another event. The first event decides, because a later token may look like a frame.
     */
    let isFramedTwice: boolean | undefined;
    /** Whether events go on from message to message. The first message with data decides. */
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
        items.push(TOO_LONG);
      },
    });
    return {
      read(message) {
        items = [];
        if (!isBody && (isBetweenEvents || spansMessages === false) && isBareDocument(message)) {
          return [documentOf(message)];
        }
        isBetweenEvents = endsEvent(message);
        // A message without data does not decide, because an event that it begins may go on in the next message.
        if (spansMessages === undefined && hasData(message)) spansMessages = isBetweenEvents;
        parser.feed(spansMessages === false ? `${message}\n\n` : message);
        return items;
      },
      // The standard drops an event that no blank line has ended.
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

/**
 * Whether a message without a line end is an event: its data must be complete, as plain text may begin with "data: ".
 */
function isWholeEvent(line: string): boolean {
  if (!line.startsWith('data:')) return false;
  const data = line.slice('data:'.length).trim();
  return data === END_MARK || parseJson(data) !== undefined;
}

/** Whether a text ends with a blank line, which means with two line ends. CRLF is one line end. */
function endsEvent(text: string): boolean {
  // Nearly all messages end with \n\n, and this test is faster.
  return text.endsWith('\n\n') || /(?:\r\n|\r(?!\n)|(?<!\r)\n){2}$/.test(text);
}

/** Whether a message between events is a document without any SSE. */
function isBareDocument(message: string): boolean {
  return message.trim() === END_MARK || isObject(parseJson(message));
}

/** Returns the inner data if data is itself a `data: ` line, because the agent's output was framed twice. */
function innerData(data: string): string | undefined {
  if (!data.startsWith('data:') && !data.startsWith('"data:')) return undefined;
  const value = parseJson(data);
  const inner = /^data: ?(.*?)[\r\n]*$/.exec(typeof value === 'string' ? value : data)?.[1];
  return inner !== undefined && isWholeEvent(`data: ${inner}`) ? inner : undefined;
}
