import type { AnswerEvent } from '../events.ts';
import type { Document } from '../framing/document.ts';
import type { DialectOptions } from './dialect.ts';
import { dataOf, generic } from './generic.ts';

/**
 * Reads the documents that a framework's dialect does not know: the agent's own code sends them beside the framework's.
 * Ends and failures are read as in the generic dialect. Everything else is data, and never text of the answer.
 */
export function createUnknownReader(options: DialectOptions): (document: Document) => AnswerEvent[] {
  const { textPath: _none, ...others } = options;
  const reader = generic.createReader({ ...others, structured: 'event' });
  return (document) => {
    const events = reader.read(document);
    const last = events.at(-1);
    if (last?.type === 'failure') return [last];
    const end = last?.type === 'end' ? [last] : [];
    if (events.length === end.length) return end;
    if (typeof document.value !== 'object') {
      // Such a document is the repr of an event that could not be made JSON.
      options.onLeftOut(document.text.length);
      return end;
    }
    return options.structured === 'drop' ? end : [dataOf(document), ...end];
  };
}
