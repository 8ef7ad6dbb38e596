import { Duration, Token } from 'aws-cdk-lib';
import { type AgentEntry, parseAgents } from '../lambda/agents.ts';
import { readConfig } from '../lambda/config.ts';
import { ENV } from '../lambda/contract.ts';

/** One agent. What is left out has the default of the contract ("Configuration"). */
export type AgentProps = Pick<AgentEntry, 'id' | 'name' | 'runtimeArn'> & Partial<AgentEntry>;

/** The limits and intervals of the function; each is one environment variable. */
export interface TuningProps {
  /** TCP and TLS towards AgentCore. @default - given up after 5 s */
  readonly connectTimeout?: Duration;
  /** The WebSocket upgrade, which AgentCore answers when the session's microVM is up. @default - given up after 60 s */
  readonly handshakeTimeout?: Duration;
  /** From the prompt to the agent's first text. @default - given up after 5 min */
  readonly firstChunkTimeout?: Duration;
  /** Between two messages of the agent. @default - given up after 5 min */
  readonly idleTimeout?: Duration;
  /** Of one answer. @default - an answer may take 15 min, and never longer than the function's timeout */
  readonly maxDuration?: Duration;
  /** Kept of the function's timeout to end an answer properly. @default - 3 s are kept */
  readonly deadlineReserve?: Duration;
  /** Silence after which an SSE answer begins without text; zero means at once. @default - begins after 25 s */
  readonly commitAfter?: Duration;
  /** Silence after which an SSE answer gets a comment. @default - a comment every 15 s */
  readonly heartbeatInterval?: Duration;
  /** Attempts after the first, all before the prompt is sent. @default - up to 4 retries */
  readonly maxRetries?: number;
  /** The first retry waits at most this long; doubled with every retry. @default - 500 ms */
  readonly retryBase?: Duration;
  /** No retry waits longer. @default - 8 s */
  readonly retryMax?: Duration;
  /** Longer prompts are answered 413. @default - 1 MiB */
  readonly maxPromptBytes?: number;
  /** A longer message of an agent ends the answer. @default - 1 MiB */
  readonly maxMessageBytes?: number;
  /** Where an answer is cut. @default - 199 MB, below the Function URL's 200 MB */
  readonly maxResponseBytes?: number;
  /** Idle connections kept per execution environment; zero turns reuse off. @default - 100 are kept */
  readonly poolMaxConnections?: number;
  /** How long an idle connection is kept. @default - 5 min */
  readonly poolMaxIdle?: Duration;
  /** How old a connection may get. @default - 55 min, below AgentCore's 60 min */
  readonly poolMaxAge?: Duration;
  /** Pings on every open connection. @default - every 20 s, below AgentCore's idle limit of 60 s */
  readonly pingInterval?: Duration;
  /** Wait for the pong before an idle connection is reused. @default - 500 ms */
  readonly pongTimeout?: Duration;
  /**
   * Turns the route /api/stacks/status/{stackName} on, for stacks whose name begins so; `*` for all.
   *
   * @default - the route is off, and the role cannot read any stack
   */
  readonly stackStatusPrefix?: string;
  /** Origin that replaces AgentCore's data plane, for example of a VPC endpoint. @default - the endpoint of each runtime's region */
  readonly endpointUrl?: string;
}

/**
 * The environment of the function: the agents, and of the rest only what was given.
 *
 * @throws Error naming the agent or the property that is wrong
 */
export function functionEnvironment(
  agents: readonly AgentEntry[],
  stage: string | undefined,
  tuning: TuningProps,
): Record<string, string> {
  const given: Record<string, Duration | number | string | undefined> = {
    [ENV.STAGE]: stage,
    [ENV.ENDPOINT_URL]: tuning.endpointUrl,
    [ENV.CONNECT_TIMEOUT_MS]: tuning.connectTimeout,
    [ENV.HANDSHAKE_TIMEOUT_MS]: tuning.handshakeTimeout,
    [ENV.FIRST_CHUNK_TIMEOUT_MS]: tuning.firstChunkTimeout,
    [ENV.IDLE_TIMEOUT_MS]: tuning.idleTimeout,
    [ENV.MAX_DURATION_MS]: tuning.maxDuration,
    [ENV.DEADLINE_RESERVE_MS]: tuning.deadlineReserve,
    [ENV.COMMIT_AFTER_MS]: tuning.commitAfter,
    [ENV.HEARTBEAT_INTERVAL_MS]: tuning.heartbeatInterval,
    [ENV.MAX_RETRIES]: tuning.maxRetries,
    [ENV.RETRY_BASE_MS]: tuning.retryBase,
    [ENV.RETRY_MAX_MS]: tuning.retryMax,
    [ENV.MAX_PROMPT_BYTES]: tuning.maxPromptBytes,
    [ENV.MAX_MESSAGE_BYTES]: tuning.maxMessageBytes,
    [ENV.MAX_RESPONSE_BYTES]: tuning.maxResponseBytes,
    [ENV.POOL_MAX_CONNECTIONS]: tuning.poolMaxConnections,
    [ENV.POOL_MAX_IDLE_MS]: tuning.poolMaxIdle,
    [ENV.POOL_MAX_AGE_MS]: tuning.poolMaxAge,
    [ENV.PING_INTERVAL_MS]: tuning.pingInterval,
    [ENV.PONG_TIMEOUT_MS]: tuning.pongTimeout,
    [ENV.STACK_STATUS_PREFIX]: tuning.stackStatusPrefix,
  };
  const environment: Record<string, string> = { [ENV.AGENTS]: JSON.stringify(agents.map(withoutDefaults)) };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    environment[name] = value instanceof Duration ? String(value.toMilliseconds()) : String(value);
  }
  assertSize(environment);
  assertReadable(environment, agents);
  return environment;
}

/** Stack names and prefixes of them. @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
export function checkStackStatusPrefix(prefix: string): void {
  if (prefix !== '*' && !Token.isUnresolved(prefix) && !/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(prefix)) {
    throw new Error(
      `stackStatusPrefix: expected "*" or the beginning of a stack name (a letter, then letters, digits or "-"), got ${JSON.stringify(prefix)}`,
    );
  }
}

/** Stands for an ARN that is not known before deployment. */
const ANY_ARN = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/any-0123456789';

/** What the function would refuse at its cold start is refused here, by the function's own reader. */
function assertReadable(environment: Record<string, string>, agents: readonly AgentEntry[]): void {
  const known = (value: string, stand: string) => (Token.isUnresolved(value) ? stand : value);
  const readable = agents.map((agent) => ({
    ...agent,
    runtimeArn: known(agent.runtimeArn, ANY_ARN),
    qualifier: known(agent.qualifier, 'DEFAULT'),
  }));
  const { [ENV.ENDPOINT_URL]: endpointUrl, ...rest } = environment;
  readConfig({
    ...rest,
    [ENV.AGENTS]: JSON.stringify(readable),
    ...(endpointUrl !== undefined && !Token.isUnresolved(endpointUrl) && { [ENV.ENDPOINT_URL]: endpointUrl }),
  });
}

const [DEFAULTS] = parseAgents([{ id: 'any', name: 'any', runtimeArn: ANY_ARN }]);

/** The function fills the defaults in again; without them twice as many agents fit. */
function withoutDefaults(agent: AgentEntry): Partial<AgentEntry> {
  const isDefault = (key: string, value: unknown) =>
    JSON.stringify(value) === JSON.stringify(DEFAULTS?.[key as keyof AgentEntry]);
  return Object.fromEntries(Object.entries(agent).filter(([key, value]) => !isDefault(key, value)));
}

/** Lambda allows 4,096 bytes, names included; the rest is for what others add. */
const MAX_ENVIRONMENT_BYTES = 4000;

/** Longest runtime ARN: what a token may become. */
const TOKEN_BYTES = 160;

function assertSize(environment: Record<string, string>): void {
  const entries = Object.entries(environment).map(([name, value]) => ({ name, bytes: bytes(name + value) }));
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= MAX_ENVIRONMENT_BYTES) return;
  const largest = entries.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const agents = JSON.parse(environment[ENV.AGENTS] ?? '[]') as AgentEntry[];
  const longest = agents
    .map((agent) => ({ id: agent.id, bytes: bytes(JSON.stringify(agent)) }))
    .reduce((a, b) => (b.bytes > a.bytes ? b : a));
  throw new Error(
    `the function's environment has ${total} bytes, allowed are ${MAX_ENVIRONMENT_BYTES}: the largest entry is ${largest.name} (${largest.bytes} bytes)` +
      (largest.name === ENV.AGENTS
        ? `, in it agent "${longest.id}" (${longest.bytes} bytes): shorten its description and capabilities, or configure fewer agents`
        : ''),
  );
}

function bytes(text: string): number {
  return Buffer.byteLength(text.replace(/\$\{Token\[[^\]]*\]\}/g, 'x'.repeat(TOKEN_BYTES)));
}
