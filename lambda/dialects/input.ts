import { isObject } from '../framing/document.ts';
import type { Dialect, InputRequest } from './dialect.ts';
import { DIALECTS, type DialectName } from './dialects.ts';

/** What an agent's entry says of its input. */
export interface InputOptions {
  dialect: DialectName | 'auto';
  /** JSON in which strings name what takes their place: `$prompt`, `$sessionId`, `$requestId`, `$payload`. */
  input?: unknown;
}

/** Whether an agent reads the RunAgentInput of a caller itself. */
export function takesRun({ dialect, input }: InputOptions): boolean {
  const named: Dialect | undefined = dialect === 'auto' ? undefined : DIALECTS[dialect];
  return input === undefined && named?.takesRun === true;
}

const PLACEHOLDER = /\$(prompt|sessionId|requestId|payload)\b/g;

/** What an agent is sent for a prompt, as JSON: its entry's template, else what its dialect takes. */
export function inputFor({ dialect, input: template }: InputOptions, request: InputRequest): string {
  if (template !== undefined) {
    const filled = fill(template, request);
    const isPlaced = JSON.stringify(template).includes('$payload');
    return JSON.stringify(isPlaced || !isObject(filled) ? filled : { ...request.payload, ...filled });
  }
  const { prompt, sessionId, payload } = request;
  const named = dialect === 'auto' ? undefined : DIALECTS[dialect];
  const input = named && 'input' in named ? named.input(request) : { prompt, sessionId };
  // The caller's keys come first: none of them takes the place of the service's own.
  return JSON.stringify({ ...payload, ...input });
}

/** A placeholder that is a whole string takes the value; within a longer string its text. Nothing is filled twice. */
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
