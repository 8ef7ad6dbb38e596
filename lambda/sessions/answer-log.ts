import type { ErrorCode } from '../contract.ts';
import { type ErrorDetails, StreamError } from '../errors.ts';
import type { ContentEvent } from '../events.ts';

/**
 * The log of an answer: lines of JSON. The first line is the {@link AnswerHead}, the last one a {@link RecordedEnd},
 * and each line between is an event. A text, of which there are most, is a JSON string alone.
 */
export type LogEntry = { type: 'head'; head: AnswerHead } | ContentEvent | RecordedEnd;

/** Whose answer it is. There is no prompt in it. */
export interface AnswerHead {
  /** Key of the session in the store. */
  session: string;
  /** The session id that the caller knows. */
  sessionId: string;
  agentId: string;
  requestId: string;
  /** The caller's session id was none, and another took its place. */
  sessionReplaced: boolean;
  /** The identity that the session is bound to, hashed. */
  owner?: string;
}

/** How an answer ended, with its statistics as the protocols write them. */
export interface RecordedEnd {
  type: 'ended';
  stats: object;
  /** Absent where the answer is complete, or was stopped. */
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

/** One line of the log, line end included. */
export function writeEntry(entry: LogEntry): string {
  return `${JSON.stringify(entry.type === 'text' ? entry.text : entry)}\n`;
}

/** Reads the log piece by piece, wherever the pieces are cut. */
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
