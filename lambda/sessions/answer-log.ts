import type { ErrorCode } from '../contract.ts';
import { type ErrorDetails, StreamError } from '../errors.ts';
import type { ContentEvent } from '../events.ts';

/**
 * An entry of an answer's log, which consists of lines of JSON. The first line is the {@link AnswerHead}, the last one
 * is a {@link RecordedEnd}, and each line between is an event. Most events are texts, and a text is only a JSON string.
 */
export type LogEntry = { type: 'head'; head: AnswerHead } | ContentEvent | RecordedEnd;

/** The head of an answer, which says whose answer it is. It contains no prompt. */
export interface AnswerHead {
  /** The key of the session in the store. */
  session: string;
  /** The session id that the caller knows. */
  sessionId: string;
  agentId: string;
  requestId: string;
  /** Whether the caller's session id was not valid, and another one replaces it. */
  sessionReplaced: boolean;
  /** The hashed identity that the session is bound to. */
  owner?: string;
}

/** The end of an answer, with its statistics in the form of the protocols. */
export interface RecordedEnd {
  type: 'ended';
  stats: object;
  /** The failure. Absent if the answer is complete or was stopped. */
  failure?: RecordedFailure;
}

interface RecordedFailure {
  code: ErrorCode;
  message: string;
  promptSent: boolean;
  details: ErrorDetails;
}

export function isContent(entry: LogEntry): entry is ContentEvent {
  return entry.type !== 'head' && entry.type !== 'ended';
}

export function failureOf({ code, message, promptSent, details }: StreamError): RecordedFailure {
  return { code, message, promptSent, details };
}

export function errorOf({ code, message, promptSent, details }: RecordedFailure): StreamError {
  const error = new StreamError(code, message, { details });
  error.promptSent = promptSent;
  return error;
}

/** Writes one line of the log, with its line end. */
export function writeEntry(entry: LogEntry): string {
  return `${JSON.stringify(entry.type === 'text' ? entry.text : entry)}\n`;
}

/** Creates a reader of the log. It takes pieces that are cut at any place. */
export function createLogReader(): (log: Uint8Array) => LogEntry[] {
  const decoder = new TextDecoder();
  let rest = '';
  return (log) => {
    const lines = (rest + decoder.decode(log, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    return lines.map((line) => {
      const value = JSON.parse(line) as string | LogEntry;
      return typeof value === 'string' ? { type: 'text', text: value } : value;
    });
  };
}
