import type { LogEntry } from './aws/lambda-runtime.ts';

/** What a line of the function's log holds that a developer wants to read. */
interface Line {
  level?: string;
  message?: string;
  agent?: string;
  code?: string;
  reason?: string;
  cause?: string;
  hint?: string;
  error?: { message?: string; stack?: string };
  function_request_id?: string;
}

/** Levels that are worth a line. Lambda takes a line for whichever stream it comes from. */
const SHOWN = new Set(['WARN', 'ERROR', 'CRITICAL']);

/**
 * What the terminal of `npm start` says of an entry of the function's log: warnings and errors in words, metrics and
 * the rest not at all. What is no line of the log stands as it is, unless it is plain output.
 */
export function readable({ environment, stream, line }: LogEntry): string | undefined {
  const parsed = parse(line);
  if (parsed?.level === undefined)
    return stream === 'stdout' ? undefined : `[environment ${environment}] ${line}`;
  if (!SHOWN.has(parsed.level)) return undefined;
  const {
    level,
    message = '',
    agent,
    code,
    reason,
    cause,
    hint,
    error,
    function_request_id: requestId,
  } = parsed;
  const what = [message, code, agent && `agent ${agent}`].filter(Boolean).join(', ');
  const why = [reason ?? error?.message, cause, hint && `hint: ${hint}`].filter(Boolean).join('; ');
  const of = requestId === undefined ? '' : ` (${requestId})`;
  // Whoever has broken something here needs to know where.
  const stack = code === 'Internal' || code === undefined ? error?.stack : undefined;
  return [`[environment ${environment}] ${level} ${what}${why && `: ${why}`}${of}`, stack]
    .filter(Boolean)
    .join('\n');
}

function parse(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
