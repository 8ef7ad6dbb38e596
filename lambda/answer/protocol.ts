import type { StreamError } from '../errors.ts';

/** What every event of an answer may name. */
export interface AnswerContext {
  sessionId: string;
  agentId: string;
  requestId: string;
}

export interface AnswerStats {
  /** How many chunks went out. */
  chunks: number;
  /** UTF-8 bytes of the text. */
  bytes: number;
  durationMs: number;
}

/** How an answer is written. Pure: each method returns the text to write; a further format is one such object. */
export interface ResponseFormat {
  /** What a caller's `Accept` must rank highest to get it. */
  mediaType: string;
  contentType: string;
  /** Whether silence may be filled, with {@link heartbeat} and {@link nudge}, and committed by time. */
  fillsSilence: boolean;
  open(context: AnswerContext): string;
  /** UTF-16 units; a longer text goes out as several chunks. */
  maxChunkLength: number;
  chunk(text: string): string;
  heartbeat: string;
  nudge: string;
  done(context: AnswerContext, stats: AnswerStats): string;
  fail(context: AnswerContext, stats: AnswerStats, error: StreamError): string;
}

/** Cuts a text into pieces of at most so many UTF-16 units, at least two, never inside a surrogate pair. */
export function cut(text: string, maxLength: number): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + maxLength, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
