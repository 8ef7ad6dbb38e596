import { LOCAL_AGENT_IDS, type LocalAgent, type LocalAgentId, MISSION } from './agents/agents.ts';
import type { GivenAgent } from './agents-file.ts';

/** An entry of AGENTS and the container behind it. */
export interface SystemRuntime {
  id: string;
  name: string;
  runtimeArn: string;
  target: string;
  /** Endpoints that exist. @default DEFAULT alone */
  qualifiers?: string[];
  /** Makes the container forget a session that is stopped. @default it is told nothing */
  endSession?: (sessionId: string) => Promise<void>;
  [key: string]: unknown;
}

export interface RuntimesOptions {
  /** Entries of AGENTS. @default those of the local agents */
  configured?: readonly GivenAgent[] | undefined;
  /** Containers by the id of their agent; the others are the local agents of the same id. */
  containers?: Readonly<Record<string, string>> | undefined;
  /** Local agents that are configured a second time, as `<id>-http`, by their entrypoint. */
  overHttp?: readonly LocalAgentId[] | undefined;
}

/** The local agents that serve an entry, as no container does. Without entries of its own a system has this project's three. */
export function neededAgents({ configured, containers = {} }: RuntimesOptions): readonly LocalAgentId[] {
  if (!configured) return MISSION;
  return LOCAL_AGENT_IDS.filter((id) => configured.some((entry) => entry.id === id) && !containers[id]);
}

/**
 * Puts the entries of AGENTS together with the containers that serve them.
 *
 * @throws Error for a container of no agent, and for an agent without a container
 */
export function runtimesOf(
  local: readonly LocalAgent[],
  { configured, containers = {}, overHttp = [] }: RuntimesOptions,
): SystemRuntime[] {
  const entries =
    configured ?? local.map(({ promptsReceived: _count, endSession: _end, target: _at, ...entry }) => entry);
  const ids = entries.map(({ id }) => id);
  const unknown = Object.keys(containers).find((id) => !ids.includes(id));
  if (unknown !== undefined) throw new Error(`no agent "${unknown}": expected one of ${ids.join(', ')}`);
  const runtimes = entries.map((entry): SystemRuntime => {
    const target = containers[entry.id];
    const qualifiers = [(entry as Partial<GivenAgent>).qualifier ?? 'DEFAULT'];
    if (target !== undefined) return { ...entry, qualifiers, target };
    const agent = local.find(({ id }) => id === entry.id);
    if (agent) return { ...entry, qualifiers, target: agent.target, endSession: agent.endSession };
    throw new Error(
      `no container for the agent "${entry.id}": give it with --agent ${entry.id}=ws://127.0.0.1:8080/ws`,
    );
  });
  const again = runtimes
    .filter(({ id }) => overHttp.some((other) => other === id))
    .map((runtime) => ({
      ...runtime,
      id: `${runtime.id}-http`,
      name: `${runtime.name} over http`,
      transport: 'http',
    }));
  return [...runtimes, ...again];
}
