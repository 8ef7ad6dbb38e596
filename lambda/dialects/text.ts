import type { Dialect } from './dialect.ts';

/**
 * Takes every document as verbatim text, and the close as the end. It is for agents whose text looks like something
 * else, such as agents on the TypeScript SDK, which puts bare strings into server-sent events.
 */
export const text: Dialect = {
  isVerbatim: true,
  recognises: () => false,
  createReader: () => ({
    read: (document) => (document.text === '' ? [] : [{ type: 'text', text: document.text }]),
    isCompleteOnClose: () => true,
  }),
};
