import { parseRuntimeArn, type RuntimeArn } from './arn.ts';
import { DIALECTS, type DialectName } from './dialects/dialects.ts';
import { FRAMINGS, type FramingName } from './framing/framings.ts';

/** One configured agent: an entry of AGENTS with its defaults filled in. */
export interface AgentEntry {
  /** A short id, such as `onboarding`. */
  id: string;
  /** The agent's name for people, such as `OnboardingAgent`. */
  name: string;
  runtimeArn: string;
  /** The name of the runtime's endpoint. */
  qualifier: string;
  /** `http` for an agent that has only an entrypoint (/invocations) and no /ws handler. */
  transport: 'websocket' | 'http';
  description: string;
  capabilities: readonly string[];
  /** How documents are packed into messages. With `auto` the first message decides. */
  framing: 'auto' | FramingName;
  /** What the documents mean. With `auto`, the first document that belongs to only one dialect decides. */
  dialect: 'auto' | DialectName;
  /** A template with `$prompt`, `$sessionId`, `$requestId` and `$payload`. @default - the input of the dialect */
  input?: unknown;
  /** Whether a caller may add keys to the input. */
  payload: 'refuse' | 'merge';
  /** A further `type` (or `event`) of this agent's documents that ends an answer. */
  endMarker?: string;
  /** What ends an answer: only the `endMarker`, or only the close. @default - every known mark, and the close */
  ends?: 'marker' | 'close';
  /** The path, or the paths, of the text in this agent's documents, such as `event.contentBlockDelta.delta.text`. */
  textPath?: string | readonly string[];
  /** How JSON without text is treated: passed on as text, dropped, or turned into an event. */
  structured: 'pass' | 'drop' | 'event';
  firstChunkTimeoutMs?: number;
  idleTimeoutMs?: number;
}

/** Checks the value of one key. Returns what was expected, or undefined when the value is right. */
type Check = (value: unknown) => string | undefined;

const matching =
  (pattern: RegExp, expected: string): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : expected;
const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string) ? undefined : `one of ${allowed.join(', ')}`;
const text = matching(/./s, 'a non-empty string');
const milliseconds: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31
    ? undefined
    : 'a positive whole number of milliseconds, at most 2147483647';

/** The keys of an entry that choose one of several values, with the values. */
export const AGENT_CHOICES = {
  transport: ['websocket', 'http'],
  framing: ['auto', ...Object.keys(FRAMINGS)],
  dialect: ['auto', ...Object.keys(DIALECTS)],
  payload: ['refuse', 'merge'],
  ends: ['marker', 'close'],
  structured: ['pass', 'drop', 'event'],
};

const CHECKS: Record<keyof AgentEntry, Check> = {
  id: matching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, '1 to 64 letters, digits, "_" or "-"'),
  name: text,
  runtimeArn: text,
  qualifier: matching(/^[a-zA-Z][a-zA-Z0-9_]{0,47}$/, 'an endpoint name (letters, digits, "_")'),
  transport: oneOf(...AGENT_CHOICES.transport),
  description: (value) => (typeof value === 'string' ? undefined : 'a string'),
  capabilities: (value) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? undefined
      : 'an array of strings',
  framing: oneOf(...AGENT_CHOICES.framing),
  dialect: oneOf(...AGENT_CHOICES.dialect),
  input: (value) =>
    typeof value === 'object' && value !== null && JSON.stringify(value).includes('$prompt')
      ? undefined
      : 'an object in which "$prompt" stands where the prompt belongs',
  payload: oneOf(...AGENT_CHOICES.payload),
  endMarker: text,
  ends: oneOf(...AGENT_CHOICES.ends),
  textPath: (value) =>
    [value].flat().length > 0 && [value].flat().every((path) => text(path) === undefined)
      ? undefined
      : 'a non-empty string, or a list of them',
  structured: oneOf(...AGENT_CHOICES.structured),
  firstChunkTimeoutMs: milliseconds,
  idleTimeoutMs: milliseconds,
};

/** Every key that an entry may have. */
export const AGENT_ENTRY_KEYS: readonly string[] = Object.keys(CHECKS);

const REQUIRED = ['id', 'name', 'runtimeArn'] as const;

/**
 * Validates a list of agents, both at synthesis and at a cold start.
 *
 * @param value the parsed JSON
 * @param isToken tells which strings are tokens, whose values are known only at deployment; they are not validated
 * @throws Error naming the agent, the key, the expected value and the given one
 */
export function parseAgents(value: unknown, isToken: (text: string) => boolean = () => false): AgentEntry[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new Error(`expected a non-empty JSON array of agents, got ${show(value)}`);
  }
  const agents = value.map((entry, index) => parseEntry(entry, index, isToken));
  for (const key of ['id', 'name'] as const) {
    const seen = new Set<string>();
    for (const agent of agents) {
      if (seen.has(agent[key])) throw new Error(`duplicate agent ${key} "${agent[key]}": expected each once`);
      seen.add(agent[key]);
    }
  }
  return agents;
}

function parseEntry(entry: unknown, index: number, isToken: (text: string) => boolean): AgentEntry {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new Error(`agent ${index}: expected an object, got ${show(entry)}`);
  }
  const given = entry as Record<string, unknown>;
  const label = `agent ${typeof given.id === 'string' ? `"${given.id}"` : index}`;
  for (const key of REQUIRED) {
    if (given[key] === undefined) throw new Error(`${label}: "${key}" is missing`);
  }
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(CHECKS, key)) {
      throw new Error(`${label}: unknown key "${key}", expected one of ${Object.keys(CHECKS).join(', ')}`);
    }
    if (value === undefined || (typeof value === 'string' && isToken(value))) continue;
    const expected = CHECKS[key as keyof AgentEntry](value);
    if (expected) throw new Error(`${label}: "${key}" expected ${expected}, got ${show(value)}`);
    if (key === 'runtimeArn') {
      try {
        parseRuntimeArn(value as string);
      } catch (cause) {
        throw new Error(`${label}: ${(cause as Error).message}`, { cause });
      }
    }
  }
  const defined: unknown = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  return {
    qualifier: 'DEFAULT',
    transport: 'websocket',
    description: '',
    capabilities: [],
    framing: 'auto',
    dialect: 'auto',
    payload: 'refuse',
    structured: 'pass',
    ...(defined as Pick<AgentEntry, (typeof REQUIRED)[number]> & Partial<AgentEntry>),
  };
}

function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown;
}

/** Returns the configured agent with the given id, name or runtime ARN, which are case-sensitive. */
export function findAgent<Agent extends { entry: AgentEntry }>(
  agents: readonly Agent[],
  agentId: string,
): Agent | undefined {
  return (
    agents.find(({ entry }) => entry.id === agentId) ??
    agents.find(({ entry }) => entry.name === agentId) ??
    agents.find(({ entry }) => entry.runtimeArn === agentId)
  );
}

/** A configured agent with the values that are derived from its ARN. */
export interface Agent {
  entry: AgentEntry;
  arn: RuntimeArn;
  /** The origin of the agent's data plane. */
  origin: URL;
}
