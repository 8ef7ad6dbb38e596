import { boundedAgentError, textOfUnknownError } from '../agent-error.ts';
import type { EndEvent } from '../events.ts';
import { isObject } from '../framing/document.ts';

/** Reads the agent's own report of its failure. Agents put it at the top of a document, or into an `error` object. */
export function failureOf(value: unknown, raw: string): EndEvent {
  const outer = isObject(value) ? value : {};
  const inner = isObject(outer.error) ? outer.error : {};
  const type = firstText(outer.error_type, inner.type, inner.name, outer.type);
  const code = [outer.error_code, outer.code, inner.code, outer.status].find(
    (candidate): candidate is string | number =>
      typeof candidate === 'string' || typeof candidate === 'number',
  );
  const message =
    firstText(inner.message, outer.error, outer.message, outer.details, value) ??
    (value === undefined ? raw : textOfUnknownError(value));
  return { type: 'failure', agentError: boundedAgentError({ type, code, message }) };
}

function firstText(...candidates: unknown[]): string | undefined {
  return candidates.find(
    (candidate): candidate is string => typeof candidate === 'string' && candidate !== '',
  );
}
