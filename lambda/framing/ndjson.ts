import { type Document, documentOf, isObject, parseJson } from './document.ts';
import { type Framing, TOO_LONG } from './framing.ts';

/**
 * Each line is one JSON document. A line may span messages.
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export const ndjson: Framing = {
  contentTypes: ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
  recognises(start, isBody) {
    const lines = start.split('\n').filter((line) => line.trim() !== '');
    if (!isBody) return lines.length > 1 && lines.every((line) => isObject(parseJson(line)));
    if (!start.startsWith('{')) return false;
    // The first line decides. In a body it may not be complete yet.
    return start.includes('\n') ? isObject(parseJson(lines[0] ?? '')) : undefined;
  },
  createReader({ isBody, maxDocumentLength }) {
    let line = '';
    const take = (): Document[] => {
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      line = '';
      return text.trim() === '' ? [] : [documentOf(text)];
    };
    return {
      read(message) {
        const documents: Document[] = [];
        const parts = message.split('\n');
        for (const [index, part] of parts.entries()) {
          if (index > 0) documents.push(...take());
          line += part;
          if (line.length > maxDocumentLength) return [...documents, TOO_LONG];
        }
        // Most agents end a document with the message, even without a line end. A line that spans messages is no valid
        // JSON before its end.
        return !isBody && parseJson(line) !== undefined ? [...documents, ...take()] : documents;
      },
      flush: take,
    };
  },
};
