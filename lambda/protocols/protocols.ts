import type { ResponseFormat } from '../answer/protocol.ts';
import { json } from './json.ts';
import { sse } from './native.ts';

/** How an answer can be written; a further way is one file and one line here. */
export const FORMATS = { sse, json } satisfies Record<string, ResponseFormat>;

export type FormatName = keyof typeof FORMATS;
