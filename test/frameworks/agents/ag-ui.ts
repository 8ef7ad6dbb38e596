import { createServer } from 'node:http';
import { type AGUIEvent, EventType, type RunAgentInput, type TokenUsage } from '@ag-ui/core';
import { EventSchemas, RunAgentInputSchema } from '@ag-ui/core/schemas';
import { EventEncoder } from '@ag-ui/encoder';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Call, calculate, inputPieces, type Piece, think } from './script.ts';

const encoder = new EventEncoder();

/** Serves an agent as AWS's `AGUIApp` does: a RunAgentInput on `/ws`, framed events, and a close behind each run. */
const server = createServer((_request, response) => response.end('{"status":"Healthy"}'));
new WebSocketServer({ server, path: '/ws' }).on('connection', (socket) => {
  socket.once('message', async (data) => {
    const input = RunAgentInputSchema.safeParse(JSON.parse(data.toString()));
    if (!input.success) return socket.close(1003, 'a RunAgentInput was expected');
    for await (const event of run(input.data as RunAgentInput)) send(socket, event);
    socket.close(1000);
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
// However the parent ended.
process.on('disconnect', () => process.exit());

/** Only what AG-UI's own schema accepts is sent. */
function send(socket: WebSocket, event: AGUIEvent): void {
  EventSchemas.parse(event);
  socket.send(encoder.encodeSSE(event));
}

async function* run(input: RunAgentInput): AsyncGenerator<AGUIEvent> {
  const { threadId, runId } = input;
  yield { type: EventType.RUN_STARTED, threadId, runId };
  try {
    yield* answer(input);
  } catch (error) {
    yield { type: EventType.RUN_ERROR, message: (error as Error).message, code: 'MODEL' };
  }
}

async function* answer({
  threadId,
  runId,
  messages,
  tools,
  state,
  resume,
}: RunAgentInput): AsyncGenerator<AGUIEvent> {
  const finished = { type: EventType.RUN_FINISHED, threadId, runId } as const;
  const prompt = textOf(messages.findLast(({ role }) => role === 'user')?.content);
  const last = messages.at(-1);
  const [reply] = resume ?? [];
  let result = last?.role === 'tool' ? textOf(last.content) : undefined;
  if (reply) result = reply.payload?.approved === true ? 'deleted' : 'kept';
  const usage: TokenUsage[] = [];
  let call: Call | undefined;
  yield* messageOf(think(prompt, result), (piece) => {
    if (piece.type === 'call') call = { ...piece.call, id: `call-${runId}` };
    else if (piece.type === 'usage') usage.push(tokensOf(piece));
  });
  if (!call) return yield { ...finished, usage };
  // A tool of the frontend is called by its name, and runs there.
  const isOfFrontend = tools.some(({ name }) => name === call?.name);
  yield* callEvents(call);
  if (isOfFrontend) return yield { ...finished, usage };
  if (call.name === 'delete_bucket') {
    const interrupts = [{ id: call.id, reason: 'tool_call', message: 'Delete it?', toolCallId: call.id }];
    return yield { ...finished, usage, outcome: { type: 'interrupt', interrupts } };
  }
  const content = String(calculate(call.input));
  yield {
    type: EventType.TOOL_CALL_RESULT,
    messageId: `result-${runId}`,
    toolCallId: call.id,
    content,
    role: 'tool',
  };
  yield { type: EventType.STATE_SNAPSHOT, snapshot: { ...state, calculations: 0 } };
  yield { type: EventType.STATE_DELTA, delta: [{ op: 'replace', path: '/calculations', value: 1 }] };
  yield* messageOf(think(prompt, content), (piece) => {
    if (piece.type === 'usage') usage.push(tokensOf(piece));
  });
  yield { ...finished, usage, outcome: { type: 'success' } };
}

/** Thoughts and text of a model as messages; the other pieces are given to `onPiece`. */
async function* messageOf(
  pieces: AsyncIterable<Piece>,
  onPiece: (piece: Piece) => void,
): AsyncGenerator<AGUIEvent> {
  const messageId = crypto.randomUUID();
  let open: 'thought' | 'text' | undefined;
  for await (const piece of pieces) {
    const kind = piece.type === 'thought' || piece.type === 'text' ? piece.type : undefined;
    if (open && open !== kind) yield* ENDS[open](messageId);
    if (kind && open !== kind) yield* STARTS[kind](messageId);
    open = kind;
    if (piece.type === 'thought') {
      yield { type: EventType.REASONING_MESSAGE_CONTENT, messageId, delta: piece.text };
    } else if (piece.type === 'text') {
      yield { type: EventType.TEXT_MESSAGE_CONTENT, messageId, delta: piece.text };
    } else onPiece(piece);
  }
}

type Of = (messageId: string) => AGUIEvent[];
const STARTS: Record<'thought' | 'text', Of> = {
  thought: (messageId) => [
    { type: EventType.REASONING_START, messageId },
    { type: EventType.REASONING_MESSAGE_START, messageId, role: 'reasoning' },
  ],
  text: (messageId) => [{ type: EventType.TEXT_MESSAGE_START, messageId, role: 'assistant' }],
};
const ENDS: Record<'thought' | 'text', Of> = {
  thought: (messageId) => [
    { type: EventType.REASONING_MESSAGE_END, messageId },
    { type: EventType.REASONING_END, messageId },
  ],
  text: (messageId) => [{ type: EventType.TEXT_MESSAGE_END, messageId }],
};

function* callEvents(call: Call): Generator<AGUIEvent> {
  const { id: toolCallId, name: toolCallName } = call;
  yield { type: EventType.TOOL_CALL_START, toolCallId, toolCallName };
  for (const delta of inputPieces(call)) yield { type: EventType.TOOL_CALL_ARGS, toolCallId, delta };
  yield { type: EventType.TOOL_CALL_END, toolCallId };
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content ?? '');
}

function tokensOf({ inputTokens, outputTokens }: Extract<Piece, { type: 'usage' }>): TokenUsage {
  return { provider: 'scripted', model: 'scripted', inputTokens, outputTokens };
}
