import type { AnswerEvent } from '../events.ts';
import type { ConverseReader } from './converse.ts';
import type { ToolCalls } from './tool-calls.ts';

/** What is known of one exchange with an agent on Strands. */
export interface StrandsState {
  calls: ToolCalls;
  converse: ConverseReader;
  /** The events of questions to the user, each once. */
  ask(interrupts: unknown): AnswerEvent[];
  /**
   * What tells the text, since each token comes in up to four forms: the model's stream, or the events of the callback
   * handler; undefined as long as only whole messages have come.
   */
  family: 'stream' | 'callback' | undefined;
}
