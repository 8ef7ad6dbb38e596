import type { Protocol } from '../answer/protocol.ts';
import { agUi } from './ag-ui.ts';
import { json } from './json.ts';
import { native } from './native.ts';
import { uiMessageStream } from './ui-message-stream.ts';

/** The formats that a caller of one route chooses from with `Accept`. */
export const FORMATS = { sse: native, json } satisfies Record<string, Protocol>;

/** The protocols of frontends. A further protocol is one file, one line here and its routes. */
export const PROTOCOLS = {
  ...FORMATS,
  'ui-message-stream': uiMessageStream,
  'ag-ui': agUi,
} satisfies Record<string, Protocol>;

export type FormatName = keyof typeof FORMATS;
export type ProtocolName = keyof typeof PROTOCOLS;
