import type { Framing } from './framing.ts';
import { json } from './json.ts';
import { ndjson } from './ndjson.ts';
import { sse } from './sse.ts';
import { text } from './text.ts';

/** In the order in which they are recognised; a further framing is one file and one line here. */
export const FRAMINGS = { sse, json, ndjson, text } satisfies Record<string, Framing>;

export type FramingName = keyof typeof FRAMINGS;

/** The framing that a content type names, if any. */
export function framingOfContentType(contentType: string): Framing | undefined {
  const [type = ''] = contentType.toLowerCase().split(';', 1);
  return Object.values<Framing>(FRAMINGS).find(({ contentTypes }) => contentTypes.includes(type.trim()));
}

/** The framing of what an exchange begins with; undefined where more must come first. */
export function recogniseFraming(start: string, isBody: boolean): Framing | undefined {
  for (const framing of Object.values<Framing>(FRAMINGS)) {
    const isSo = framing.recognises(start, isBody);
    if (isSo === undefined) return undefined;
    if (isSo) return framing;
  }
  return text;
}
