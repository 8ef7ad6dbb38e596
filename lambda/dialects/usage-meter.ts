import type { AnswerEvent } from '../events.ts';
import { usageOf } from './usage.ts';

/** Counts the new tokens in totals that grow within one call of a model. */
export interface UsageMeter {
  /** Returns the tokens of a total beyond those of the previous total, or no event if there are none. */
  count(total: unknown): AnswerEvent[];
  /** Begins again: the next total belongs to another call. */
  reset(): void;
}

export function createUsageMeter(): UsageMeter {
  let input = 0;
  let output = 0;
  return {
    count(total) {
      const usage = usageOf(total);
      const inputTokens = Math.max(0, (usage?.inputTokens ?? 0) - input);
      const outputTokens = Math.max(0, (usage?.outputTokens ?? 0) - output);
      input += inputTokens;
      output += outputTokens;
      if (inputTokens === 0 && outputTokens === 0) return [];
      return [
        {
          type: 'usage',
          ...(inputTokens > 0 && { inputTokens }),
          ...(outputTokens > 0 && { outputTokens }),
        },
      ];
    },
    reset() {
      input = 0;
      output = 0;
    },
  };
}
