import type { Framing } from './framing.ts';

/** Every message is text as it is. `decoder.ts` passes such text on without a dialect. */
export const text: Framing = {
  contentTypes: [],
  recognises: () => true,
  createReader: () => ({ read: (message) => [{ text: message, value: undefined }], flush: () => [] }),
};
