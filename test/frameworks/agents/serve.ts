import { BedrockAgentCoreApp } from 'bedrock-agentcore/runtime';

/** What an agent is sent; how it answers stands in its entry's `input`. */
export interface AgentRequest extends Record<string, unknown> {
  prompt: string;
  sessionId: string;
  /** Of the framework's streams the one to send. */
  mode: string;
  /** The caller's reply to a question. */
  reply?: unknown;
}

/**
 * Serves an agent on AgentCore's own server: each item that it yields is a message, as docs/agents.md shows it.
 *
 * @param endOf what ends an answer of a mode: `[DONE]`, the framework's own end alone, or the close
 */
export function serve(
  answer: (request: AgentRequest) => AsyncIterable<string>,
  endOf: (mode: string) => '[DONE]' | 'own' | 'close',
): void {
  const app = new BedrockAgentCoreApp({
    config: { logging: { enabled: false } },
    invocationHandler: { process: async (request) => request },
    websocketHandler: (socket) => {
      socket.on('message', async (data) => {
        const request = JSON.parse(data.toString()) as AgentRequest;
        try {
          for await (const message of answer(request)) socket.send(message);
          const end = endOf(request.mode);
          if (end === 'close') socket.close();
          else if (end !== 'own') socket.send(end);
        } catch (error) {
          const { message } = error as Error;
          // Where every message is text, only a close can tell of a failure.
          if (endOf(request.mode) === 'close') socket.close(1011, message);
          else socket.send(JSON.stringify({ type: 'error', message }));
        }
      });
    },
  });
  app.run({ port: Number(process.env.PORT), host: '127.0.0.1' });
  // However the parent ended.
  process.on('disconnect', () => process.exit());
}
