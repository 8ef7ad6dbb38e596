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

/**
 * The dialects of agents, in the order in which they are tried. A further dialect is one file and one line here;
 * docs/architecture.md lists what its tests and the documents need.
 */
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

/** Returns the dialect that alone can have sent a document, if there is one. */
export function recogniseDialect(document: Document): Dialect | undefined {
  for (const dialect of Object.values<Dialect>(DIALECTS)) if (dialect.recognises(document)) return dialect;
  return undefined;
}

/** Returns a dialect whose answers may begin with a document, if there is one. The next document then decides. */
export function dialectBegunBy(document: Document): Dialect | undefined {
  return Object.values<Dialect>(DIALECTS).find(({ mayBegin }) => mayBegin?.(document));
}
