import type { UsageEvent } from '../events.ts';
import { isObject } from '../framing/document.ts';

const INPUT_KEYS = [
  'inputTokens',
  'input_tokens',
  'prompt_tokens',
  'promptTokens',
  'promptTokenCount',
  'prompt_token_count',
];
const OUTPUT_KEYS = [
  'outputTokens',
  'output_tokens',
  'completion_tokens',
  'completionTokens',
  'candidatesTokenCount',
  'candidates_token_count',
];

/** Returns the tokens that an object counts under the names of any model provider; undefined when it counts none. */
export function usageOf(value: unknown): UsageEvent | undefined {
  if (!isObject(value)) return undefined;
  const count = (keys: readonly string[]) =>
    keys.map((key) => value[key]).find((tokens): tokens is number => Number.isSafeInteger(tokens));
  const inputTokens = count(INPUT_KEYS);
  const outputTokens = count(OUTPUT_KEYS);
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  return {
    type: 'usage',
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
  };
}
