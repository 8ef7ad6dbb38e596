import { Token } from 'aws-cdk-lib';
import { type AgentEntry, parseAgents } from '../lambda/agents.ts';
import type { AgentByArn } from './agent-props.ts';
import { labelled, parsed } from './context-values.ts';
import { isSsmReference } from './ssm-arn.ts';

type Context = Readonly<Record<string, unknown>>;

/** The agents that have context keys of their own. A deployment with other agents lists all of them in `agents`. */
const KNOWN_AGENTS: readonly Pick<AgentEntry, 'id' | 'name' | 'description'>[] = [
  {
    id: 'onboarding',
    name: 'OnboardingAgent',
    description: 'Proposes an architecture with a CloudFormation template',
  },
  {
    id: 'provisioning',
    name: 'ProvisioningAgent',
    description: 'Deploys a template and reports its progress',
  },
  { id: 'mwc', name: 'MWCAgent', description: 'Orchestrates the other two agents' },
];

/** The context keys that configure agents. */
export const AGENT_KEYS: readonly string[] = [
  ...KNOWN_AGENTS.flatMap(({ id }) => [`${id}AgentArn`, `${id}AgentQualifier`, `${id}AgentTransport`]),
  'agents',
];

/** Reads the agents. @throws Error naming the key, the expected value and the given one */
export function agentsOf(context: Context): readonly AgentByArn[] {
  const known = KNOWN_AGENTS.flatMap((agent) => knownAgent(context, agent));
  if (context.agents === undefined) {
    const keys = KNOWN_AGENTS.map(({ id }) => `${id}AgentArn`).join(', ');
    if (known.length === 0)
      throw new Error(`no agent is configured: give at least one of ${keys}, or agents`);
    return known;
  }
  if (known.length > 0) {
    throw new Error(`agents and ${known[0]?.id}AgentArn are both given: use one or the other`);
  }
  return labelled('agents', () => validated(parsed(context.agents, 'a JSON array of agents')));
}

function knownAgent(context: Context, agent: (typeof KNOWN_AGENTS)[number]): readonly AgentByArn[] {
  const { id } = agent;
  const [runtimeArn, qualifier, transport] = ['Arn', 'Qualifier', 'Transport'].map(
    (part) => context[`${id}Agent${part}`],
  );
  if (runtimeArn === undefined) {
    for (const part of ['Qualifier', 'Transport']) {
      if (context[`${id}Agent${part}`] === undefined) continue;
      throw new Error(
        `${id}Agent${part} is given without ${id}AgentArn: give the ARN of the runtime as well`,
      );
    }
    return [];
  }
  // `-c key=$VARIABLE` gives an empty text when the shell variable is not set.
  if (runtimeArn === '') {
    throw new Error(
      `${id}AgentArn: expected a runtime ARN such as arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${agent.name}-a1B2c3D4e5, got ""`,
    );
  }
  const entry = {
    ...agent,
    runtimeArn,
    ...(qualifier !== undefined && { qualifier }),
    ...(transport !== undefined && { transport }),
  };
  try {
    return validated([entry]);
  } catch (cause) {
    throw new Error(byKey(id, (cause as Error).message), { cause });
  }
}

/** Names the key that was typed in an error: `mwcAgentTransport` instead of `agent "mwc": "transport"`. */
function byKey(id: string, message: string): string {
  const keys: Record<string, string> = { qualifier: 'Qualifier', transport: 'Transport' };
  return message.replace(/^agent "\w+": (?:"(\w+)" )?/, (_all, key) => `${id}Agent${keys[key] ?? 'Arn'}: `);
}

/**
 * Checks entries and returns them as given. The function fills the defaults in; here they would hide what was given.
 */
function validated(entries: unknown): readonly AgentByArn[] {
  const checkable = Array.isArray(entries) ? entries.map(withoutSsm) : entries;
  parseAgents(checkable, (value) => Token.isUnresolved(value));
  return entries as readonly AgentByArn[];
}

/** Checks an SSM reference and puts a token in its place, because the parameter's value is known only at deployment. */
function withoutSsm(entry: unknown): unknown {
  const { runtimeArn } = (entry ?? {}) as Partial<AgentByArn>;
  if (typeof runtimeArn !== 'string' || !isSsmReference(`agent "${(entry as AgentByArn).id}"`, runtimeArn))
    return entry;
  return { ...(entry as AgentByArn), runtimeArn: Token.asString({ Ref: 'AnyParameter' }) };
}
