import type { Framing } from './framing.ts';
import { json } from './json.ts';
import { ndjson } from './ndjson.ts';
import { sse } from './sse.ts';
import { text } from './text.ts';

/** The framings, in the order in which they are tried. A further framing is one file and one line here. */
export const FRAMINGS = { sse, json, ndjson, text } satisfies Record<string, Framing>;

export type FramingName = keyof typeof FRAMINGS;

/** Returns the framing that a content type names, if any. */
export function framingOfContentType(contentType: string): Framing | undefined {
  const [type = ''] = contentType.toLowerCase().split(';', 1);
  return Object.values<Framing>(FRAMINGS).find(({ contentTypes }) => contentTypes.includes(type.trim()));
}

/** Returns the framing of an exchange from its first text; undefined if the decision needs more text. */
export function recogniseFraming(start: string, isBody: boolean): Framing | undefined {
  for (const framing of Object.values<Framing>(FRAMINGS)) {
    const isRecognised = framing.recognises(start, isBody);
    if (isRecognised === undefined) return undefined;
    if (isRecognised) return framing;
  }
  return text;
}
