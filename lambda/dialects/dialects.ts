import type { Document } from '../framing/document.ts';
import type { Dialect } from './dialect.ts';
import { generic } from './generic.ts';
import { text } from './text.ts';

/** What agents speak, in the order in which it is recognised; a further dialect is one file and one line here. */
export const DIALECTS = {
  text,
  generic,
} satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

/** The dialect that a document can only be of, if any. */
export function recogniseDialect(document: Document): Dialect | undefined {
  for (const dialect of Object.values<Dialect>(DIALECTS)) if (dialect.recognises(document)) return dialect;
  return undefined;
}
