import type { ResponseFormat } from './format.ts';
import { json } from './json.ts';
import { sse } from './sse.ts';

/** How an answer can be written; a further way is one file and one line here. */
export const FORMATS = { sse, json } satisfies Record<string, ResponseFormat>;

export type FormatName = keyof typeof FORMATS;
