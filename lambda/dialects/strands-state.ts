import type { AnswerEvent } from '../events.ts';
import type { ConverseReader } from './converse.ts';
import type { ToolCalls } from './tool-calls.ts';

/** The state of one exchange with an agent on Strands. */
export interface StrandsState {
  calls: ToolCalls;
  converse: ConverseReader;
  /** Makes the events of questions to the user, each question once. */
  ask(interrupts: unknown): AnswerEvent[];
  /**
   * The form of events from which the text is read, because each token comes in up to four forms: the model's stream,
   * or the events of the callback handler. Undefined while only whole messages have arrived.
   */
  family: 'stream' | 'callback' | undefined;
}
