import type { Dialect } from './dialect.ts';

/**
 * Every document is text, verbatim, and the close is the end: for agents whose documents look like something else,
 * as those of the TypeScript SDK, which puts bare strings into server-sent events.
 */
export const text: Dialect = {
  isVerbatim: true,
  recognises: () => false,
  createReader: () => ({
    read: (document) => (document.text === '' ? [] : [{ type: 'text', text: document.text }]),
    isCompleteOnClose: () => true,
  }),
};
