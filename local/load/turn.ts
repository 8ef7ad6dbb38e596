import { createParser } from 'eventsource-parser';
import { sleep } from './probe.ts';

/** One answer, in either format, as its caller has it. */
export interface TurnResult {
  text: string;
  sessionId: string | undefined;
  /** Undefined where the answer is complete. */
  code: string | undefined;
  /** Whether the agent may have had the prompt. */
  promptSent: boolean;
  /** Ended as an answer must: nothing broke off. */
  whole: boolean;
  firstChunkMs: number | undefined;
  totalMs: number;
}

export interface TurnRequest {
  agentId: string;
  prompt: string;
  sessionId: string;
}

/** Asks an agent once and reads the answer to its end. */
export async function takeTurn(
  url: string,
  request: TurnRequest,
  format: 'sse' | 'json',
): Promise<TurnResult> {
  for (;;) {
    const startedAt = performance.now();
    const since = () => performance.now() - startedAt;
    const response = await fetch(`${url}/api/agents/invoke`, {
      method: 'POST',
      headers: { accept: format === 'sse' ? 'text/event-stream' : 'application/json' },
      body: JSON.stringify(request),
    });
    if (response.headers.get('x-amzn-errortype') === 'TooManyRequestsException') {
      // Lambda's own: the environment is still writing its metrics. The function has not seen the request.
      await response.arrayBuffer();
      await sleep(5);
      continue;
    }
    const isSse = response.headers.get('content-type')?.startsWith('text/event-stream');
    const result = await (isSse ? readSse : readJson)(response, since);
    return { ...result, totalMs: since() };
  }
}

type Read = Omit<TurnResult, 'totalMs'>;

async function readSse(response: Response, since: () => number): Promise<Read> {
  const result: Read = {
    text: '',
    sessionId: undefined,
    code: undefined,
    promptSent: true,
    whole: false,
    firstChunkMs: undefined,
  };
  const parser = createParser({
    onEvent({ data }) {
      const event = JSON.parse(data) as Record<string, unknown>;
      if (result.whole) result.code = 'AfterTheEnd';
      if (typeof event.sessionId === 'string') result.sessionId = event.sessionId;
      if (typeof event.chunk === 'string') {
        result.firstChunkMs ??= since();
        result.text += event.chunk;
      }
      if (event.done === true) result.whole = true;
      if (typeof event.code === 'string') {
        result.code = event.code;
        result.promptSent = event.promptSent === true;
        result.whole = true;
      }
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  return result;
}

interface Document {
  sessionId?: string;
  response?: string;
  error?: string | { code: string; promptSent: boolean };
  promptSent?: boolean;
  details?: { sessionId?: string };
}

async function readJson(response: Response, since: () => number): Promise<Read> {
  let body = '';
  let firstChunkMs: number | undefined;
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    firstChunkMs ??= since();
    body += decoder.decode(bytes, { stream: true });
  }
  const { sessionId, response: text = '', error, promptSent = true, details } = JSON.parse(body) as Document;
  return {
    text,
    sessionId: sessionId ?? details?.sessionId,
    code: typeof error === 'object' ? error.code : error,
    promptSent: typeof error === 'object' ? error.promptSent : promptSent,
    whole: true,
    firstChunkMs: text === '' ? undefined : firstChunkMs,
  };
}
