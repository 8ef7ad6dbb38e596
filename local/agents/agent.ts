import { flushCompileCache } from 'node:module';
import { BedrockAgentCoreApp } from 'bedrock-agentcore/runtime';
import { fillerText, tokensOf } from './text.ts';

/** One prompt and what the session has asked before. */
export interface Turn {
  prompt: string;
  sessionId: string;
  previous: readonly string[];
  /** The whole request, further keys of the caller included. */
  request: Record<string, unknown>;
}

/** A piece of an answer: text, or a structured event. */
export type Piece = string | Record<string, unknown>;

export interface AgentDefinition {
  answer(turn: Turn): AsyncIterable<Piece> | Iterable<Piece>;
  /** One WebSocket message per piece. */
  encode(piece: Piece): string;
  /** The message that ends an answer; without one the socket is closed instead. */
  endMessage?: string;
  /** Its last piece says that it is the last: neither a message nor a close follows. */
  endsItself?: true;
  /** Forgets a session. */
  forget?(sessionId: string): void;
}

/** What the parent asks over the IPC channel: how many prompts came, or that a session be forgotten. */
export interface Question {
  /** Number of the question. */
  ask: number;
  /** @default all of them */
  sessionId?: string;
  /** Forgets the session, as the end of its microVM would. */
  forget?: true;
}

/** What the child answers. */
export interface PromptCount {
  /** Number of the question. */
  ask: number;
  count: number;
}

const { PORT = '8080', TOKEN_DELAY_MS = '25', FIRST_TOKEN_DELAY_MS = '0' } = process.env;
/** `repeat 5000000 bytes` answers with so much text, at once. */
const REPEAT = /^repeat (\d{1,9}) bytes$/;
/** `break off` breaks the answer off after so many pieces, as a container that dies would. */
const BREAK_OFF = 'break off';
const PIECES_BEFORE_BREAK = 5;
const MAX_BUFFERED_BYTES = 1_000_000;

type WebSocketHandler = NonNullable<ConstructorParameters<typeof BedrockAgentCoreApp>[0]['websocketHandler']>;
type AgentSocket = Parameters<WebSocketHandler>[0];

/** Serves an agent as its container would: AgentCore's own server with /ws, /invocations and /ping. */
export function serveAgent(agent: AgentDefinition): void {
  const memory = new Map<string, string[]>();
  let prompts = 0;

  /** Notes the prompt and returns the pieces of its answer, at the pace of a model. */
  async function* take(request: Request, sessionId: string): AsyncGenerator<Piece> {
    const { prompt } = request;
    const earlier = memory.get(sessionId) ?? [];
    memory.set(sessionId, [...earlier, prompt]);
    prompts += 1;
    await sleep(Number(FIRST_TOKEN_DELAY_MS));
    const repeat = REPEAT.exec(prompt);
    if (repeat && !agent.endsItself) {
      yield* fillerText(Number(repeat[1]));
      return;
    }
    let left = prompt === BREAK_OFF ? PIECES_BEFORE_BREAK : Infinity;
    for await (const piece of agent.answer({ prompt, sessionId, previous: earlier, request })) {
      for (const token of typeof piece === 'string' ? tokensOf(piece) : [piece]) {
        if (left === 0) throw new BrokenOff();
        left -= 1;
        yield token;
        await sleep(Number(TOKEN_DELAY_MS));
      }
    }
  }

  async function answer(request: Request, sessionId: string, socket: AgentSocket): Promise<void> {
    // A prompt that waited for its turn on a socket that has ended must not be remembered.
    if (socket.readyState !== socket.OPEN) return;
    for await (const piece of take(request, sessionId)) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(agent.encode(piece));
      while (socket.bufferedAmount > MAX_BUFFERED_BYTES && socket.readyState === socket.OPEN) await sleep(5);
    }
    if (agent.endsItself) return;
    if (agent.endMessage === undefined) socket.close();
    else socket.send(agent.endMessage);
  }

  const app = new BedrockAgentCoreApp({
    config: { logging: { enabled: false } },
    invocationHandler: {
      async *process(came, context) {
        const request = requestIn(came);
        if (request === undefined) throw new Error('expected {"prompt": "..."}');
        for await (const piece of take(request, context.sessionId)) yield { data: piece };
      },
    },
    websocketHandler: (socket, context) => {
      // As the SDK does with what a handler throws; it does not see what happens after the handler has returned.
      const fail = () => socket.close(1011, 'Internal server error');
      // Prompts on one socket are answered one after the other.
      let answered = Promise.resolve();
      socket.on('message', (data) => {
        const request = requestOf(data.toString());
        if (request === undefined) return fail();
        answered = answered
          .then(() => answer(request, context.sessionId, socket))
          .catch((error) => (error instanceof BrokenOff ? socket.terminate() : fail()));
      });
    },
  });
  app.run({ port: Number(PORT), host: '127.0.0.1' });
  // An agent is killed: what it has compiled would not be kept for the next one.
  flushCompileCache();

  process.on('message', ({ ask, sessionId, forget }: Question) => {
    if (forget && sessionId !== undefined) {
      memory.delete(sessionId);
      agent.forget?.(sessionId);
    }
    const count = sessionId === undefined ? prompts : (memory.get(sessionId)?.length ?? 0);
    process.send?.({ ask, count } satisfies PromptCount);
  });
  // However the parent ended.
  process.on('disconnect', () => process.exit());
}

/** The answer was to break off. */
class BrokenOff extends Error {}

type Request = Record<string, unknown> & { prompt: string };

function requestOf(message: string): Request | undefined {
  try {
    return requestIn(JSON.parse(message));
  } catch {
    return undefined;
  }
}

function requestIn(came: unknown): Request | undefined {
  const request = Object(came) as Record<string, unknown>;
  return typeof request.prompt === 'string' ? (request as Request) : undefined;
}

function sleep(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}

/** "In this session you asked before for …", or nothing. */
export function recall(previous: readonly string[]): string {
  const last = previous.at(-1);
  return last === undefined ? '' : `Earlier in this session you asked for: "${last}".\n\n`;
}
