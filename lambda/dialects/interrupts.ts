import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject, parseJson } from '../framing/document.ts';

/**
 * Makes the events of the questions in a list, each question once. A question has an id, and a reason if the reason is
 * text. Its payload is the content, which frameworks keep in `value`, in `payload` or in keys of their own.
 *
 * @param asked the ids of questions that were asked before; the ids of the list are added
 */
export function readInterrupts(interrupts: unknown, asked: Set<string>): AnswerEvent[] {
  if (!Array.isArray(interrupts)) return [];
  return interrupts.flatMap((interrupt): AnswerEvent[] => {
    const { id: given, interrupt_id: old, reason, ...rest } = questionOf(interrupt);
    const id = [given, old].find((name) => typeof name === 'string') ?? `interrupt-${asked.size + 1}`;
    if (asked.has(id)) return [];
    asked.add(id);
    const payload = rest.value ?? rest.payload ?? rest;
    if (typeof reason === 'string') return [{ type: 'interrupt', id, reason, payload }];
    return [{ type: 'interrupt', id, payload: reason === undefined ? payload : { ...rest, reason } }];
  });
}

/** Turns a question into an object. A value that is no object is the content; an empty `response` is left out. */
function questionOf(interrupt: unknown): JsonObject {
  if (!isObject(interrupt)) {
    return { value: typeof interrupt === 'string' ? (parseJson(interrupt) ?? interrupt) : interrupt };
  }
  const { response, ...question } = interrupt;
  return response === null || response === undefined ? question : interrupt;
}
