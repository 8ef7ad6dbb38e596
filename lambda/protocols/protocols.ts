import type { Protocol } from '../answer/protocol.ts';
import { json } from './json.ts';
import { native } from './native.ts';

/** What frontends understand; a further protocol is one file and one line here. */
export const PROTOCOLS = { sse: native, json } satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof PROTOCOLS;
