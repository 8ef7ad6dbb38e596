import type { Send } from './signed-fetch.ts';

/** An answer as it came over the network. */
export interface Answer {
  status: number;
  body: string;
  /** The events of an SSE answer. */
  events: Record<string, unknown>[];
  /** How many events held text. */
  chunks: number;
  /** Pieces of the body that held text: when they came, in milliseconds after the request, and with how many chunks. */
  textReads: { atMs: number; chunks: number }[];
  durationMs: number;
  /** The body broke off. */
  truncated: boolean;
}

/** Asks an agent for an SSE answer and notes when which piece of it came. */
export async function askAgent(
  send: Send,
  base: URL,
  request: { agentId: string; prompt: string; sessionId: string },
  signal: AbortSignal,
): Promise<Answer> {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const response = await send(new URL('/', base), {
    method: 'POST',
    body: JSON.stringify(request),
    signal,
  });
  const decoder = new TextDecoder();
  const events: Record<string, unknown>[] = [];
  const textReads: Answer['textReads'] = [];
  let chunks = 0;
  let body = '';
  let parsed = 0;
  let truncated = false;
  try {
    for await (const bytes of response.body ?? []) {
      body += decoder.decode(bytes, { stream: true });
      const before = chunks;
      // Whole events only: the last one may still be on its way.
      for (let end = body.indexOf('\n\n', parsed); end >= 0; end = body.indexOf('\n\n', parsed)) {
        const [event] = eventOf(body.slice(parsed, end));
        parsed = end + 2;
        if (event) events.push(event);
        if (typeof event?.chunk === 'string') chunks += 1;
      }
      if (chunks > before) textReads.push({ atMs: elapsed(), chunks: chunks - before });
    }
  } catch {
    signal.throwIfAborted();
    truncated = true;
  }
  return { status: response.status, body, events, chunks, textReads, durationMs: elapsed(), truncated };
}

/** Comments may stand in front of the data. */
function eventOf(text: string): Record<string, unknown>[] {
  const data = /^data: (.*)/m.exec(text)?.[1];
  return data === undefined ? [] : parseObject(data);
}

/** An object, or nothing. */
export function parseObject(text: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
  } catch {
    return [];
  }
}
