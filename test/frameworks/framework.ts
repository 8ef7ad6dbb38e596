import { join } from 'node:path';
import { AgentError } from '../../client/errors.ts';
import { streamAgent } from '../../client/stream-agent.ts';
import { type AgentProcess, agentIsReady, freePorts, spawnAgent } from '../../local/agents/agent-process.ts';
import { type System, startSystem } from '../../local/system.ts';

/** An agent on a framework, in a process of its own, behind the whole system. */
export interface Framework {
  system: System;
  /** Asks through the client. */
  ask(agentId: string, prompt: string, options?: AskOptions): Promise<Asked>;
  /** Asks for a JSON document. */
  invoke(agentId: string, prompt: string): Promise<{ status: number; document: Record<string, unknown> }>;
  /** Ends the agent's process without a word to its callers. */
  kill(): Promise<void>;
  /** Starts it again, where it was. */
  revive(): Promise<void>;
  close(): Promise<void>;
}

export interface AskOptions {
  sessionId?: string;
  payload?: Record<string, unknown>;
  onText?: (text: string) => void;
}

export interface Asked {
  sessionId: string;
  /** The events but the first, neighbours of one type put together: text and thoughts as what they say. */
  events: [type: string, said: unknown][];
  text: string;
  error: AgentError | undefined;
}

/**
 * @param name of the agent's file
 * @param entries what its entries of AGENTS have beside id, name and ARN, by their id
 */
export async function startFramework(name: string, entries: Record<string, object>): Promise<Framework> {
  const [port = 0] = await freePorts(1);
  const target = `http://127.0.0.1:${port}`;
  let agent: AgentProcess;
  const revive = async () => {
    agent = spawnAgent(join(import.meta.dirname, 'agents', `${name}.ts`), { PORT: String(port) });
    await agentIsReady(target, name, agent);
  };
  const kill = () => agent.kill();
  await revive();
  const runtimes = Object.entries(entries).map(([id, entry]) => ({
    id,
    name: id,
    runtimeArn: `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${id}-0123456789`,
    target,
    ...entry,
  }));
  const system = await startSystem({ runtimes, environment: { IDLE_TIMEOUT_MS: '20000' } });
  return {
    system,
    ask: (agentId, prompt, options) => ask(system.url, agentId, prompt, options),
    async invoke(agentId, prompt) {
      const body = JSON.stringify({ agentId, prompt });
      const response = await fetch(`${system.url}/api/agents/invoke`, { method: 'POST', body });
      return { status: response.status, document: (await response.json()) as Record<string, unknown> };
    },
    kill,
    revive,
    async close() {
      await system.close();
      await kill();
    },
  };
}

async function ask(url: string, agentId: string, prompt: string, options: AskOptions = {}): Promise<Asked> {
  const { onText, ...more } = options;
  const asked: Asked = { sessionId: '', events: [], text: '', error: undefined };
  try {
    for await (const event of streamAgent(url, { agentId, prompt, ...more })) {
      if (event.type === 'start') asked.sessionId = event.sessionId;
      else note(asked, event);
      if (event.type === 'chunk') onText?.(event.text);
    }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    asked.error = error;
  }
  return asked;
}

function note(asked: Asked, { type, ...fields }: { type: string }): void {
  const { text, delta } = fields as { text?: string; delta?: string };
  if (type === 'chunk') asked.text += text;
  const said = type === 'done' ? fields : (delta ?? text ?? fields);
  const last = asked.events.at(-1);
  if (last?.[0] === type && typeof said === 'string') last[1] += said;
  else asked.events.push([type, said]);
}
