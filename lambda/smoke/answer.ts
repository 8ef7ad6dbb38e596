import type { Send } from './signed-fetch.ts';

/** An answer as it arrived over the network. */
export interface Answer {
  status: number;
  body: string;
  /** The events of an SSE answer. */
  events: Record<string, unknown>[];
  /** The number of events with text. */
  chunks: number;
  /** The network reads with text: each with its time in milliseconds after the request, and its number of chunks. */
  textReads: { atMs: number; chunks: number }[];
  durationMs: number;
  /** Whether the body broke off. */
  truncated: boolean;
}

/** Asks an agent for an SSE answer and notes when each piece of it arrives. */
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
      // Only whole events are read: the rest of the last one may still be on its way.
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

/** Reads the data of one event, which comments may precede. */
function eventOf(text: string): Record<string, unknown>[] {
  const data = /^data: (.*)/m.exec(text)?.[1];
  return data === undefined ? [] : parseObject(data);
}

/** Parses a JSON object. Returns an empty list for any other text. */
export function parseObject(text: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
  } catch {
    return [];
  }
}
