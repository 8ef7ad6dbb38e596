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
  contentType: string;
  /** Whether silence may be filled, with {@link heartbeat} and {@link nudge}, and committed by time. */
  fillsSilence: boolean;
  open(context: AnswerContext): string;
  /** Cuts a text into pieces that are small enough for one write each. */
  cut(text: string): string[];
  chunk(piece: string): string;
  heartbeat: string;
  nudge: string;
  done(context: AnswerContext, stats: AnswerStats): string;
  fail(context: AnswerContext, stats: AnswerStats, error: StreamError): string;
}
