import type { Document } from '../framing/document.ts';
import { adk } from './adk.ts';
import { agUi } from './ag-ui.ts';
import { anthropic } from './anthropic.ts';
import type { Dialect } from './dialect.ts';
import { generic } from './generic.ts';
import { langgraph } from './langgraph.ts';
import { llamaindex } from './llamaindex.ts';
import { openai } from './openai.ts';
import { strands } from './strands.ts';
import { text } from './text.ts';
import { uiMessageStream } from './ui-message-stream.ts';

/** What agents speak, in the order in which it is recognised; a further dialect is one file and one line here. */
export const DIALECTS = {
  text,
  strands,
  langgraph,
  'ag-ui': agUi,
  'ui-message-stream': uiMessageStream,
  openai,
  anthropic,
  adk,
  llamaindex,
  generic,
} satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

/** The dialect that a document can only be of, if any. */
export function recogniseDialect(document: Document): Dialect | undefined {
  for (const dialect of Object.values<Dialect>(DIALECTS)) if (dialect.recognises(document)) return dialect;
  return undefined;
}

/** The dialect that an answer may be of which begins with a document, if any: the next document tells. */
export function dialectBegunBy(document: Document): Dialect | undefined {
  return Object.values<Dialect>(DIALECTS).find(({ mayBegin }) => mayBegin?.(document));
}
