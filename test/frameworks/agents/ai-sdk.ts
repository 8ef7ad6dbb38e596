import { ReadableStream } from 'node:stream/web';
import { isStepCount, jsonSchema, type ModelMessage, streamText, tool } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import { CALCULATION_SCHEMA, calculate, DELETION_SCHEMA, inputPieces, type Piece, think } from './script.ts';
import { type AgentRequest, serve } from './serve.ts';

type StreamOptions = Parameters<MockLanguageModelV4['doStream']>[0];
type ModelStream = Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'];
type StreamPart = ModelStream extends globalThis.ReadableStream<infer Part> ? Part : never;

/** Follows the script; what it is asked stands in the prompt that the SDK has made. */
const model = new MockLanguageModelV4({
  doStream: async ({ prompt }) => ({ stream: ReadableStream.from(parts(prompt)) as ModelStream }),
});

async function* parts(prompt: StreamOptions['prompt']): AsyncGenerator<StreamPart> {
  yield { type: 'stream-start', warnings: [] };
  let open: 'text' | 'reasoning' | undefined;
  for await (const piece of think(promptIn(prompt), resultIn(prompt))) {
    const kind = piece.type === 'thought' ? 'reasoning' : piece.type === 'text' ? 'text' : undefined;
    if (open && open !== kind) yield { type: `${open}-end`, id: open };
    if (kind && open !== kind) yield { type: `${kind}-start`, id: kind };
    open = kind;
    yield* partsOf(piece);
  }
}

function* partsOf(piece: Piece): Generator<StreamPart> {
  if (piece.type === 'text') return yield { type: 'text-delta', id: 'text', delta: piece.text };
  if (piece.type === 'thought') return yield { type: 'reasoning-delta', id: 'reasoning', delta: piece.text };
  if (piece.type === 'usage') {
    const inputTokens = {
      total: piece.inputTokens,
      noCache: undefined,
      cacheRead: undefined,
      cacheWrite: undefined,
    };
    const outputTokens = { total: piece.outputTokens, text: undefined, reasoning: undefined };
    const finishReason = { unified: 'stop', raw: undefined } as const;
    return yield { type: 'finish', finishReason, usage: { inputTokens, outputTokens } };
  }
  const { id, name: toolName, input } = piece.call;
  yield { type: 'tool-input-start', id, toolName };
  for (const delta of inputPieces(piece.call)) yield { type: 'tool-input-delta', id, delta };
  yield { type: 'tool-input-end', id };
  yield { type: 'tool-call', toolCallId: id, toolName, input: JSON.stringify(input) };
}

function promptIn(prompt: StreamOptions['prompt']): string {
  const asked = prompt.findLast(({ role }) => role === 'user')?.content ?? [];
  return Array.isArray(asked) ? asked.map((part) => (part.type === 'text' ? part.text : '')).join('') : asked;
}

function resultIn(prompt: StreamOptions['prompt']): string | undefined {
  const last = prompt.at(-1);
  const result = last?.role === 'tool' ? last.content.find(({ type }) => type === 'tool-result') : undefined;
  if (result?.type !== 'tool-result') return undefined;
  return 'value' in result.output ? String(result.output.value) : result.output.type;
}

const tools = {
  calculator: tool({
    inputSchema: jsonSchema<Record<string, unknown>>(CALCULATION_SCHEMA),
    execute: (input) => calculate(input),
  }),
  delete_bucket: tool({
    inputSchema: jsonSchema<{ bucket: string }>(DELETION_SCHEMA),
    execute: ({ bucket }) => `${bucket} is deleted`,
  }),
};

const histories = new Map<string, ModelMessage[]>();

/** The parts of `toUIMessageStream`, alone or framed as the SDK's own responses are, those of `stream`, or its text alone. */
async function* answer({ prompt, sessionId, mode, reply }: AgentRequest): AsyncGenerator<string> {
  const history = histories.get(sessionId) ?? [];
  histories.set(sessionId, history);
  if (reply === undefined) history.push({ role: 'user', content: prompt });
  else {
    const { approvalId, approved } = reply as { approvalId: string; approved: boolean };
    history.push({ role: 'tool', content: [{ type: 'tool-approval-response', approvalId, approved }] });
  }
  const result = streamText({
    model,
    tools,
    messages: history,
    stopWhen: isStepCount(3),
    toolApproval: { delete_bucket: 'user-approval' },
    maxRetries: 0,
    onError: () => {},
  });
  if (mode === 'text') {
    for await (const text of result.textStream) yield text;
    return;
  }
  const onError = (error: unknown) => (error as Error).message;
  if (mode === 'full') for await (const part of result.fullStream) yield JSON.stringify(plain(part));
  else
    for await (const part of result.toUIMessageStream({ onError })) {
      yield mode === 'sse' ? `data: ${JSON.stringify(part)}\n\n` : JSON.stringify(part);
    }
  const { messages } = await result.response;
  history.push(...messages);
}

/** An error has no enumerable properties: as JSON it would be `{}`. */
function plain(part: object): object {
  return 'error' in part && part.error instanceof Error ? { ...part, error: part.error.message } : part;
}

// `finish` ends an answer of the SDK; behind it the handler of docs/agents.md sends `[DONE]`.
serve(answer, (mode) => (mode === 'text' ? 'close' : mode === 'own' ? 'own' : '[DONE]'));
