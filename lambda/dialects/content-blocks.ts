import { isObject } from '../framing/document.ts';

/**
 * Returns the text of content blocks `[{type: "text", text}]` without other blocks; undefined when there is no text.
 */
export function textOfBlocks(blocks: readonly unknown[]): string | undefined {
  const texts = blocks
    .filter(isObject)
    .filter(({ type, text }) => (type === 'text' || type === undefined) && typeof text === 'string')
    .map(({ text }) => text as string);
  return texts.length === 0 ? undefined : texts.join('');
}
