import { isObject } from '../framing/document.ts';
import type { Dialect, InputRequest } from './dialect.ts';
import { DIALECTS, type DialectName } from './dialects.ts';

/** The options of an agent's entry that decide on its input. */
export interface InputOptions {
  dialect: DialectName | 'auto';
  /** A JSON template with the placeholders `$prompt`, `$sessionId`, `$requestId` and `$payload` in its strings. */
  input?: unknown;
}

/** Whether an agent reads the RunAgentInput of a caller itself. */
export function takesRun({ dialect, input }: InputOptions): boolean {
  const named: Dialect | undefined = dialect === 'auto' ? undefined : DIALECTS[dialect];
  return input === undefined && named?.takesRun === true;
}

const PLACEHOLDER = /\$(prompt|sessionId|requestId|payload)\b/g;

/** Makes the input of an agent for a prompt, as JSON: from its entry's template, otherwise as its dialect takes it. */
export function inputFor({ dialect, input: template }: InputOptions, request: InputRequest): string {
  if (template !== undefined) {
    const filled = fill(template, request);
    const isPlaced = JSON.stringify(template).includes('$payload');
    return JSON.stringify(isPlaced || !isObject(filled) ? filled : { ...request.payload, ...filled });
  }
  const { prompt, sessionId, payload } = request;
  const named = dialect === 'auto' ? undefined : DIALECTS[dialect];
  const input = named && 'input' in named ? named.input(request) : { prompt, sessionId };
  // The caller's keys come first, so that none of them replaces a key of the service.
  return JSON.stringify({ ...payload, ...input });
}

/**
 * Fills the placeholders of a template. A placeholder that is a whole string becomes the value; within a longer string
 * it becomes text. A filled value is not searched for placeholders.
 */
function fill(template: unknown, request: InputRequest): unknown {
  if (typeof template === 'string') {
    const whole = /^\$(prompt|sessionId|requestId|payload)$/.exec(template)?.[1] as
      | keyof InputRequest
      | undefined;
    if (whole !== undefined) return request[whole] ?? {};
    return template.replace(PLACEHOLDER, (_match, name: keyof InputRequest) =>
      typeof request[name] === 'string' ? request[name] : JSON.stringify(request[name] ?? {}),
    );
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, request));
  if (!isObject(template)) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fill(value, request)]));
}
