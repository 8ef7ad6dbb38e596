import type { Dialect, DialectOptions, DialectReader } from '../dialects/dialect.ts';
import { DIALECTS, type DialectName, dialectBegunBy, recogniseDialect } from '../dialects/dialects.ts';
import { END_MARK, isEndMark } from '../end-mark.ts';
import { type AnswerEvent, isEnd } from '../events.ts';
import type { Document, Problem } from '../framing/document.ts';
import type { Framing, FramingReader } from '../framing/framing.ts';
import { FRAMINGS, type FramingName, framingOfContentType, recogniseFraming } from '../framing/framings.ts';
import { type Utf8Piece, Utf8Reader } from '../framing/utf8.ts';

export interface DecoderOptions extends Omit<DialectOptions, 'onLeftOut'> {
  framing: FramingName | 'auto';
  dialect: DialectName | 'auto';
  /** The content type of the body whose pieces are decoded; absent if messages are decoded. */
  bodyType?: string;
  /** Whether a first message that is only `[DONE]` belongs to the previous answer. */
  followsUnmarked?: boolean;
  /** The longest document that spans messages, in characters. */
  maxDocumentLength: number;
  /** @see DialectOptions.onLeftOut */
  onLeftOut?: DialectOptions['onLeftOut'];
}

/** Reads the messages of one exchange. It never throws, for any bytes. */
export interface Decoder {
  /** Returns the events of the next message. No event follows an end. */
  decode(bytes: Buffer, isBinary: boolean): AnswerEvent[];
  /** Returns the last events after a clean close. An end is among them if the close completes the answer. */
  close(): AnswerEvent[];
  /** Whether anything came after the end: the connection cannot be used again then, because more may follow. */
  readonly hasSurplus: boolean;
  /** Whether `[DONE]` was the end, or came after it. */
  readonly isMarked: boolean;
}

const BOM = '\ufeff';
/** The most documents that wait for a document that decides the dialect. */
const MAX_FIRST = 8;

/** Creates the decoder of one exchange. The agent's entry or the first messages decide framing and dialect, once. */
export function createDecoder(options: DecoderOptions): Decoder {
  const isBody = options.bodyType !== undefined;
  const { maxDocumentLength } = options;
  const dialect = createDialectReader(options);
  let utf8: Utf8Reader | undefined;
  let framing = fixedFraming(options);
  let reader: FramingReader | undefined;
  /** The texts that arrived before the framing was decided. */
  let held: string[] = [];
  let isFirst = true;
  let hasEnded = false;
  let hasSurplus = false;
  let isMarked = false;
  let mayBeStale = options.followsUnmarked === true;

  /** Drops events after the end, and notes that there were any. A second mark of the end does not count. */
  const bounded = (events: AnswerEvent[]): AnswerEvent[] => {
    for (let i = 0; i < events.length; i += 1) {
      if (!isEnd(events[i] as AnswerEvent)) continue;
      hasEnded = true;
      hasSurplus ||= events.slice(i + 1).some(({ type }) => type !== 'end');
      return events.slice(0, i + 1);
    }
    return events;
  };
  const readItem = (item: Document | Problem): AnswerEvent[] => {
    if (hasEnded) {
      hasSurplus ||= 'problem' in item || !isMark(item);
      isMarked ||= !('problem' in item) && isDone(item.text);
      return NOTHING;
    }
    if ('problem' in item) return bounded([{ type: 'malformed', problem: item.problem }]);
    const events = bounded(dialect.read(item));
    isMarked = hasEnded && isDone(item.text);
    return events;
  };
  const readItems = (items: (Document | Problem)[]): AnswerEvent[] => {
    const [only] = items;
    // Nearly every message is one document, and a single document needs no list.
    return items.length === 1 && only ? readItem(only) : items.flatMap(readItem);
  };
  const readFramed = (text: string): AnswerEvent[] => {
    if (hasEnded) {
      hasSurplus ||= !isDone(text);
      isMarked ||= isDone(text);
      return NOTHING;
    }
    if (framing !== FRAMINGS.text) return readItems(reader?.read(text) ?? []);
    if (dialect.isVerbatim || text !== END_MARK) return bounded([{ type: 'text', text }]);
    isMarked = true;
    return bounded([{ type: 'end' }]);
  };
  const read = (text: string): AnswerEvent[] => {
    if (text === '') return NOTHING;
    if (framing && !isFirst) return readFramed(text);
    held.push(text);
    const start = withoutBom(joined(held, isBody));
    if (start.length > maxDocumentLength) return release();
    return decide(framing ?? recogniseFraming(start, isBody));
  };
  const decide = (recognised: Framing | undefined): AnswerEvent[] => {
    if (!recognised) return NOTHING;
    framing = recognised;
    reader = framing.createReader({ isBody, maxDocumentLength });
    isFirst = false;
    const [first = '', ...others] = held;
    held = [];
    // Plain text keeps even its byte order mark.
    return [framing === FRAMINGS.text ? first : withoutBom(first), ...others].flatMap(readFramed);
  };
  const release = (): AnswerEvent[] => (held.length > 0 ? decide(framing ?? FRAMINGS.text) : NOTHING);
  const readPiece = ({ text, isValid }: Utf8Piece): AnswerEvent[] => {
    const events = read(text);
    if (isValid) return events;
    const released = [...release(), ...(hasEnded ? NOTHING : bounded(dialect.flush()))];
    if (hasEnded) hasSurplus = true;
    return hasEnded ? [...events, ...released] : [...events, ...released, ...bounded([NOT_UTF8])];
  };

  return {
    get hasSurplus() {
      return hasSurplus;
    },
    get isMarked() {
      return isMarked;
    },
    decode(bytes, isBinary) {
      if (mayBeStale) {
        mayBeStale = false;
        if (isEndMark(bytes)) return NOTHING;
      }
      // The WebSocket has checked that a text message is valid UTF-8, so it cannot end within a character.
      if (!isBinary && utf8 === undefined) return read(bytes.toString());
      utf8 ??= new Utf8Reader();
      return readPiece(utf8.read(bytes));
    },
    close() {
      const events = [
        ...(utf8 ? readPiece(utf8.end()) : []),
        ...release(),
        ...readItems(reader?.flush() ?? []),
        ...bounded(dialect.flush()),
      ];
      const isComplete = !hasEnded && dialect.isCompleteOnClose();
      return isComplete ? [...events, ...bounded([{ type: 'end' }])] : events;
    },
  };
}

const NOTHING: AnswerEvent[] = [];
const NOT_UTF8: AnswerEvent = { type: 'malformed', problem: 'the agent sent bytes that are not UTF-8' };

function isDone(text: string): boolean {
  return text.trim() === END_MARK;
}

/** Whether a document after an end is only another mark of the end. */
function isMark({ text, event }: Document): boolean {
  return isDone(text) || text === '' || event === 'done' || event === 'end';
}

function fixedFraming({ framing, bodyType }: DecoderOptions): Framing | undefined {
  // The SDKs set the content type of events themselves, so it decides. The entry overrules any other content type.
  const named = bodyType === undefined ? undefined : framingOfContentType(bodyType);
  if (named === FRAMINGS.sse) return named;
  if (framing !== 'auto') return FRAMINGS[framing];
  return named;
}

function withoutBom(text: string): string {
  return text.startsWith(BOM) ? text.slice(1) : text;
}

/** Joins messages or pieces into one text, from which a framing can be recognised. */
function joined(messages: readonly string[], isBody: boolean): string {
  return messages.join(isBody ? '' : '\n');
}

/** Reads by the dialect of the entry, or with `auto` by that of the first document that belongs to only one dialect. */
interface AutoReader extends DialectReader {
  isVerbatim: boolean;
  /** Returns the events of documents that still wait; to be called after the last document. */
  flush(): AnswerEvent[];
}

function createDialectReader(options: DecoderOptions): AutoReader {
  const readerOptions: DialectOptions = { onLeftOut: () => {}, ...options };
  const fixed: Dialect = options.dialect === 'auto' ? DIALECTS.generic : DIALECTS[options.dialect];
  let reader = fixed.createReader(readerOptions);
  let isOpen = options.dialect === 'auto';
  /** The first documents, which wait for a later document to decide what they mean. */
  let first: Document[] = [];
  /** The dialect that the first documents may be of. */
  let begun: Dialect | undefined;

  const flush = (): AnswerEvent[] => {
    const events = first.flatMap((document) => reader.read(document));
    first = [];
    return events;
  };
  /** Makes a document wait if a later one may decide what it means. */
  const holdsBack = (document: Document): boolean => {
    if (first.length === MAX_FIRST) return false;
    begun ??= dialectBegunBy(document);
    if (!begun?.mayBegin?.(document)) return false;
    first.push(document);
    return true;
  };
  /** Whether a document is a failure, which has the same form in every dialect. */
  const isFailure = (document: Document): boolean => reader.read(document).at(-1)?.type === 'failure';
  return {
    isVerbatim: fixed.isVerbatim === true,
    read(document) {
      if (!isOpen) return reader.read(document);
      let recognised = recogniseDialect(document);
      if (!recognised && holdsBack(document)) return [];
      if (!recognised && first.length > 0 && isFailure(document)) recognised = begun;
      if (recognised) reader = recognised.createReader(readerOptions);
      const events = [...flush(), ...reader.read(document)];
      // Text by the generic rules decides, too: an agent does not change its dialect after it.
      isOpen = recognised === undefined && !events.some(({ type }) => type === 'text');
      return events;
    },
    flush,
    isCompleteOnClose: () => reader.isCompleteOnClose(),
  };
}
