import { type System, type SystemOptions, startSystem } from '../../local/system.ts';
import { type PuppetAgent, type Step, startPuppetAgent } from '../fixtures/puppet-agent.ts';

export interface KitSystem {
  /** Of the routes of an agent that takes a prompt: `chat` or `ag-ui` is to be appended. */
  url: string;
  /** The same for one that reads a RunAgentInput itself. */
  runUrl: string;
  /** How many runs of AG-UI have been asked for. */
  runs(): number;
  system: System;
  puppet: PuppetAgent;
  close(): Promise<void>;
}

const arnOf = (name: string) => `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${name}-0123456789`;

/** The bundle with agents that do what their prompts say; heartbeats come soon, failures at once. */
export async function startKitSystem(options: Pick<SystemOptions, 'sessions'> = {}): Promise<KitSystem> {
  let runs = 0;
  const puppet = await startPuppetAgent();
  const system = await startSystem({
    ...options,
    runtimes: [
      { id: 'onboarding', name: 'OnboardingAgent', runtimeArn: arnOf('Puppet'), target: puppet.target },
      { id: 'run', name: 'RunAgent', runtimeArn: arnOf('Run'), target: puppet.target, dialect: 'ag-ui' },
    ],
    // A prompt waits for a slow store: whether it is refused must not depend on this machine.
    environment: { MAX_RETRIES: '0', HEARTBEAT_INTERVAL_MS: '100', SESSION_STORE_WAIT_MS: '10000' },
    functionUrl: {
      page: ({ method, url }) => {
        if (method === 'POST' && url?.endsWith('/ag-ui')) runs += 1;
        return false;
      },
    },
  });
  return {
    url: `${system.url}/api/agents/onboarding`,
    runUrl: `${system.url}/api/agents/run`,
    runs: () => runs,
    system,
    puppet,
    async close() {
      await system.close();
      await puppet.close();
    },
  };
}

const json = (...values: object[]): Step[] => values.map((value) => ({ send: JSON.stringify(value) }));

/** What a Strands agent sends: thoughts, a tool with its result, text and tokens. */
export const STRANDS_ANSWER: Step[] = json(
  { init_event_loop: true },
  { event: { messageStart: { role: 'assistant' } } },
  {
    event: {
      contentBlockDelta: { delta: { reasoningContent: { text: 'I should add.' } }, contentBlockIndex: 0 },
    },
  },
  { event: { contentBlockStop: { contentBlockIndex: 0 } } },
  {
    event: {
      contentBlockStart: {
        start: { toolUse: { toolUseId: 'tooluse_1', name: 'add' } },
        contentBlockIndex: 1,
      },
    },
  },
  { event: { contentBlockDelta: { delta: { toolUse: { input: '{"a":1,' } }, contentBlockIndex: 1 } } },
  { event: { contentBlockDelta: { delta: { toolUse: { input: '"b":2}' } }, contentBlockIndex: 1 } } },
  { event: { contentBlockStop: { contentBlockIndex: 1 } } },
  { event: { messageStop: { stopReason: 'tool_use' } } },
  {
    message: {
      role: 'user',
      content: [{ toolResult: { toolUseId: 'tooluse_1', status: 'success', content: [{ text: '3' }] } }],
    },
  },
  { event: { messageStart: { role: 'assistant' } } },
  { event: { contentBlockDelta: { delta: { text: 'It is ' }, contentBlockIndex: 0 } } },
  { event: { contentBlockDelta: { delta: { text: '3.' }, contentBlockIndex: 0 } } },
  { event: { contentBlockStop: { contentBlockIndex: 0 } } },
  { event: { messageStop: { stopReason: 'end_turn' } } },
  { event: { metadata: { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } } } },
).concat({ close: 1000 });

/** What an AG-UI agent sends, between the start and the end of its run. */
export function agUiAnswer(...events: object[]): Step[] {
  const ids = { threadId: 't', runId: 'r' };
  return json({ type: 'RUN_STARTED', ...ids }, ...events, { type: 'RUN_FINISHED', ...ids });
}

export const DONE: Step = { send: '[DONE]' };
export const say = (chunk: string): Step => ({ send: JSON.stringify({ chunk }) });
