import type { Framing } from './framing.ts';

/** Every message is text as it is; `isVerbatim` in `decoder.ts` spares it the dialects. */
export const text: Framing = {
  contentTypes: [],
  recognises: () => true,
  createReader: () => ({ read: (message) => [{ text: message, value: undefined }], flush: () => [] }),
};
