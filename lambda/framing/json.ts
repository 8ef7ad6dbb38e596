import { documentOf, parseJson } from './document.ts';
import type { Framing } from './framing.ts';
import { TOO_LONG } from './framing.ts';

/** Each message is one JSON document. A body is one document, too. */
export const json: Framing = {
  contentTypes: ['application/json'],
  recognises: (start, isBody) => !isBody && parseJson(start) !== undefined,
  createReader({ isBody, maxDocumentLength }) {
    if (!isBody) return { read: (message) => [documentOf(message)], flush: () => [] };
    let body = '';
    return {
      read(piece) {
        body += piece;
        return body.length > maxDocumentLength ? [TOO_LONG] : [];
      },
      flush: () => [documentOf(body)],
    };
  },
};
