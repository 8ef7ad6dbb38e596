import type { AnswerEvent } from '../events.ts';
import { isObject, type JsonObject, parseJson } from '../framing/document.ts';

/**
 * The questions of a list, each once: its id, its reason where that is in words, and as payload what it asks, which
 * frameworks keep in `value` or `payload`, or in keys of their own.
 *
 * @param asked ids of the questions that were asked before; those of the list are added
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

/** A question that is no object is what is asked; one that nobody has answered yet has no response. */
function questionOf(interrupt: unknown): JsonObject {
  if (!isObject(interrupt)) {
    return { value: typeof interrupt === 'string' ? (parseJson(interrupt) ?? interrupt) : interrupt };
  }
  const { response, ...question } = interrupt;
  return response === null || response === undefined ? question : interrupt;
}
