import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { AgentEntry } from '../../lambda/agents.ts';
import type { PromptCount, Question } from './agent.ts';
import { type AgentProcess, agentIsReady, freePorts, spawnAgent } from './agent-process.ts';

export type LocalAgentId = 'onboarding' | 'provisioning' | 'mwc' | 'tools';

/** Those of this project's own; ToolsAgent, which shows what other agents can do, takes longer to start. */
export const MISSION: readonly LocalAgentId[] = ['onboarding', 'provisioning', 'mwc'];

/** What an entry of AGENTS needs, and how the agent is reached here. */
export interface LocalAgent
  extends Pick<AgentEntry, 'id' | 'name' | 'runtimeArn' | 'description' | 'capabilities'>,
    Partial<Pick<AgentEntry, 'payload'>> {
  id: LocalAgentId;
  /** The container, `http://127.0.0.1:8080`. */
  target: string;
  /** How many prompts have reached it, all told or of one session. */
  promptsReceived(sessionId?: string): Promise<number>;
  /** Makes it forget a session, as the end of its microVM would. */
  endSession(sessionId: string): Promise<void>;
}

export interface LocalAgentsOptions {
  /** Between tokens. @default 25 */
  tokenDelayMs?: number;
  /** Before the first token. @default 0 */
  firstTokenDelayMs?: number;
  /** @default all three; MWCAgent leaves out those that are not there */
  only?: readonly LocalAgentId[];
}

export interface LocalAgents {
  agents: LocalAgent[];
  close(): Promise<void>;
}

const AGENTS = {
  onboarding: {
    name: 'OnboardingAgent',
    runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/OnboardingAgent-a1B2c3D4e5',
    description: 'Proposes an architecture with a CloudFormation template',
    capabilities: ['architecture', 'cost-estimate', 'cloudformation'],
  },
  provisioning: {
    name: 'ProvisioningAgent',
    runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/ProvisioningAgent-f6G7h8I9j0',
    description: 'Deploys a template and reports its progress',
    capabilities: ['deployment', 'stack-status'],
  },
  mwc: {
    name: 'MWCAgent',
    runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/MWCAgent-k1L2m3N4o5',
    description: 'Orchestrates the other two agents',
    capabilities: ['orchestration'],
  },
  tools: {
    name: 'ToolsAgent',
    runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/ToolsAgent-p5Q6r7S8t9',
    description: 'Thinks, calls tools and asks before it deletes: try "what is 12 * 7", "delete old-backups"',
    capabilities: ['tools', 'approval'],
    // The reply to its question comes in the caller's payload.
    payload: 'merge',
  },
} as const;

export const LOCAL_AGENT_IDS = Object.keys(AGENTS) as LocalAgentId[];

const MAX_STARTS = 3;

/** Starts the agents, each in a process of its own that ends with this one. */
export async function startAgents(options: LocalAgentsOptions = {}): Promise<LocalAgents> {
  for (let start = 1; ; start += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Somebody else may have taken a port between its choice and its use.
      if (start === MAX_STARTS) throw error;
    }
  }
}

async function startOnce(options: LocalAgentsOptions): Promise<LocalAgents> {
  const ids = options.only ?? MISSION;
  const ports = await freePorts(ids.length);
  const targetOf = (id: LocalAgentId) =>
    ids.includes(id) ? `http://127.0.0.1:${ports[ids.indexOf(id)]}` : '';
  const started: AgentProcess[] = [];
  const close = async () => {
    await Promise.all(started.map(({ kill }) => kill()));
  };
  const agents = ids.map((id): LocalAgent => {
    const agent = spawnAgent(join(import.meta.dirname, `${id}.ts`), {
      PORT: new URL(targetOf(id)).port,
      TOKEN_DELAY_MS: String(options.tokenDelayMs ?? 25),
      FIRST_TOKEN_DELAY_MS: String(options.firstTokenDelayMs ?? 0),
      ONBOARDING_TARGET: targetOf('onboarding'),
      PROVISIONING_TARGET: targetOf('provisioning'),
    });
    const { child } = agent;
    started.push(agent);
    return {
      id,
      ...AGENTS[id],
      target: targetOf(id),
      promptsReceived: (sessionId) => ask(child, { ...(sessionId !== undefined && { sessionId }) }),
      endSession: async (sessionId) => void (await ask(child, { sessionId, forget: true })),
    };
  });
  try {
    await Promise.all(
      agents.map(({ target, name }, index) => agentIsReady(target, name, started[index] as AgentProcess)),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { agents, close };
}

let asked = 0;

function ask(child: ChildProcess, question: Omit<Question, 'ask'>): Promise<number> {
  const ask = ++asked;
  return new Promise((resolve, reject) => {
    const settle = (error?: Error, count = 0) => {
      child.off('message', onMessage).off('exit', onExit);
      if (error) reject(error);
      else resolve(count);
    };
    const onMessage = (answer: unknown) => {
      const { ask: answeredAsk, count } = answer as PromptCount;
      if (answeredAsk === ask) settle(undefined, count);
    };
    const onExit = () => settle(new Error('the agent has ended'));
    if (!child.connected) return onExit();
    child.on('message', onMessage).once('exit', onExit);
    child.send({ ask, ...question } satisfies Question);
  });
}
