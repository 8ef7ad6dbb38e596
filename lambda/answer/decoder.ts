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
  /** Content type of the one body that the bytes are cut from; absent where they are messages. */
  bodyType?: string;
  /** A first message that is nothing but `[DONE]` is of the answer before. */
  followsUnmarked?: boolean;
  /** Limit for a document that spans messages, in characters. */
  maxDocumentLength: number;
  /** @see DialectOptions.onLeftOut */
  onLeftOut?: DialectOptions['onLeftOut'];
}

/** Reads the messages of one exchange. It never throws, whatever the bytes. */
export interface Decoder {
  /** The events of the next message; nothing follows an end. */
  decode(bytes: Buffer, isBinary: boolean): AnswerEvent[];
  /** The last events, when the agent has closed in good order: an end among them where that completes the answer. */
  close(): AnswerEvent[];
  /** Whether something stood behind the end: a connection with more to say cannot be used again. */
  readonly hasSurplus: boolean;
  /** Whether `[DONE]` was the end, or stood behind it. */
  readonly isMarked: boolean;
}

const BOM = '\ufeff';
/** So many documents may wait for one that tells the dialect. */
const MAX_FIRST = 8;

/** The decoder of one exchange: framing and dialect are decided once, by the agent's entry or by what comes first. */
export function createDecoder(options: DecoderOptions): Decoder {
  const isBody = options.bodyType !== undefined;
  const { maxDocumentLength } = options;
  const dialect = createDialectReader(options);
  let utf8: Utf8Reader | undefined;
  let framing = fixedFraming(options);
  let reader: FramingReader | undefined;
  /** What came before the framing could be told. */
  let held: string[] = [];
  let isFirst = true;
  let hasEnded = false;
  let hasSurplus = false;
  let isMarked = false;
  let mayBeStale = options.followsUnmarked === true;

  /** Drops what follows the end, and notes that it was there. A second mark of the end is none. */
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
    // Nearly every message is one document.
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
    // Verbatim text keeps even its byte order mark.
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
      // The WebSocket has checked that a text message is valid; it cannot end within a character.
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
      const isComplete = !hasEnded && (framing === FRAMINGS.text || dialect.isCompleteOnClose());
      return isComplete ? [...events, ...bounded([{ type: 'end' }])] : events;
    },
  };
}

const NOTHING: AnswerEvent[] = [];
const NOT_UTF8: AnswerEvent = { type: 'malformed', problem: 'the agent sent bytes that are not UTF-8' };

function isDone(text: string): boolean {
  return text.trim() === END_MARK;
}

/** Whether a document behind an end is only another mark of it. */
function isMark({ text, event }: Document): boolean {
  return isDone(text) || text === '' || event === 'done' || event === 'end';
}

function fixedFraming({ framing, bodyType }: DecoderOptions): Framing | undefined {
  // A body says itself what it is; an entry overrules it only where the SDKs leave it open.
  const named = bodyType === undefined ? undefined : framingOfContentType(bodyType);
  if (named === FRAMINGS.sse) return named;
  if (framing !== 'auto') return FRAMINGS[framing];
  return named;
}

function withoutBom(text: string): string {
  return text.startsWith(BOM) ? text.slice(1) : text;
}

/** Messages as one text to recognise a framing by. */
function joined(messages: readonly string[], isBody: boolean): string {
  return messages.join(isBody ? '' : '\n');
}

/** Reads by the entry's dialect, or, with `auto`, by that of the first document that tells. */
interface AutoReader extends DialectReader {
  isVerbatim: boolean;
  /** To be called behind the last document: the events of one that waited for the next. */
  flush(): AnswerEvent[];
}

function createDialectReader(options: DecoderOptions): AutoReader {
  const readerOptions: DialectOptions = { onLeftOut: () => {}, ...options };
  const fixed: Dialect = options.dialect === 'auto' ? DIALECTS.generic : DIALECTS[options.dialect];
  let reader = fixed.createReader(readerOptions);
  let isOpen = options.dialect === 'auto';
  /** The first documents, where only what follows tells what they mean, and what they may be. */
  let first: Document[] = [];
  let begun: Dialect | undefined;

  const flush = (): AnswerEvent[] => {
    const events = first.flatMap((document) => reader.read(document));
    first = [];
    return events;
  };
  const waits = (document: Document): boolean => {
    if (first.length === MAX_FIRST) return false;
    begun ??= dialectBegunBy(document);
    if (!begun?.mayBegin?.(document)) return false;
    first.push(document);
    return true;
  };
  /** A failure is told alike in every dialect. */
  const fails = (document: Document): boolean => reader.read(document).at(-1)?.type === 'failure';
  return {
    isVerbatim: fixed.isVerbatim === true,
    read(document) {
      if (!isOpen) return reader.read(document);
      let told = recogniseDialect(document);
      if (!told && waits(document)) return [];
      if (!told && first.length > 0 && fails(document)) told = begun;
      if (told) reader = told.createReader(readerOptions);
      const events = [...flush(), ...reader.read(document)];
      // Text by the generic rules decides as well: an agent that speaks in one way does not change it.
      isOpen = told === undefined && !events.some(({ type }) => type === 'text');
      return events;
    },
    flush,
    isCompleteOnClose: () => reader.isCompleteOnClose(),
  };
}
