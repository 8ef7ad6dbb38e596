import { Token } from 'aws-cdk-lib';
import { parseAgents } from '../lambda/agents.ts';
import { refuseMisspelledKeys } from './context-keys.ts';
import { checkOrigins } from './cors.ts';
import { AUTHS, type Deployment } from './deployment.ts';
import { type AgentProps, checkStackStatusPrefix } from './environment.ts';

/** The agents that have context keys of their own; any other comes in the list `agents`. */
const KNOWN_AGENTS: readonly Omit<AgentProps, 'runtimeArn'>[] = [
  {
    id: 'onboarding',
    name: 'OnboardingAgent',
    description: 'Collects what a new customer needs and proposes an architecture',
  },
  {
    id: 'provisioning',
    name: 'ProvisioningAgent',
    description: 'Deploys infrastructure with CloudFormation',
  },
  { id: 'mwc', name: 'MWCAgent', description: 'Answers from end to end, with the other agents' },
];

const GENERAL_KEYS = [
  'agents',
  'stage',
  'auth',
  'allowedOrigins',
  'reservedConcurrency',
  'stackStatusPrefix',
  'alarmEmail',
  'alarmTopicArn',
] as const;

/** Every context key that is read. */
export const CONTEXT_KEYS: readonly string[] = [
  ...KNOWN_AGENTS.flatMap(({ id }) => [`${id}AgentArn`, `${id}AgentQualifier`, `${id}AgentTransport`]),
  ...GENERAL_KEYS,
];

type Context = Readonly<Record<string, unknown>>;

/**
 * Turns the whole CDK context (`-c key=value`, where every value is text, and cdk.json) into typed props.
 *
 * @throws Error naming the key, what was expected and what came
 */
export function readContext(context: Context): Deployment {
  refuseMisspelledKeys(context, CONTEXT_KEYS);
  const stage = text(
    context,
    'stage',
    /^[a-z][a-z0-9-]{0,31}$/,
    'lower-case letters, digits and "-", such as prod',
  );
  const auth = text(context, 'auth', new RegExp(`^(${AUTHS.join('|')})$`), `one of ${AUTHS.join(', ')}`);
  const allowedOrigins = origins(context);
  const reservedConcurrency = wholeNumber(context, 'reservedConcurrency');
  const stackStatusPrefix = text(context, 'stackStatusPrefix', /./, 'the beginning of a stack name, or "*"');
  if (stackStatusPrefix !== undefined) checkStackStatusPrefix(stackStatusPrefix);
  const alarmEmail = text(context, 'alarmEmail', /^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address');
  const alarmTopicArn = text(
    context,
    'alarmTopicArn',
    /^arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    'arn:<partition>:sns:<region>:<account>:<topic name>',
  );
  return {
    agents: agents(context),
    ...(stage !== undefined && { stage }),
    ...(auth !== undefined && { auth: auth as (typeof AUTHS)[number] }),
    ...(allowedOrigins !== undefined && { allowedOrigins }),
    ...(reservedConcurrency !== undefined && { reservedConcurrency }),
    ...(stackStatusPrefix !== undefined && { stackStatusPrefix }),
    ...(alarmEmail !== undefined && { alarmEmail }),
    ...(alarmTopicArn !== undefined && { alarmTopicArn }),
  };
}

function agents(context: Context): readonly AgentProps[] {
  const known = KNOWN_AGENTS.flatMap((agent) => knownAgent(context, agent));
  if (context.agents === undefined) {
    const keys = KNOWN_AGENTS.map(({ id }) => `${id}AgentArn`).join(', ');
    if (known.length === 0)
      throw new Error(`no agent is configured: give at least one of ${keys}, or agents`);
    return known;
  }
  if (known.length > 0) {
    throw new Error(`agents and ${known[0]?.id}AgentArn are both given: list every agent in agents, or none`);
  }
  try {
    return validated(parsed(context.agents));
  } catch (cause) {
    throw new Error(`agents: ${(cause as Error).message}`, { cause });
  }
}

function knownAgent(context: Context, agent: Omit<AgentProps, 'runtimeArn'>): readonly AgentProps[] {
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
  const entry = {
    ...agent,
    runtimeArn,
    ...(qualifier !== undefined && { qualifier }),
    ...(transport !== undefined && { transport }),
  };
  return validated([entry]);
}

/** The function fills the defaults in; here they would only hide what was given. */
function validated(entries: unknown): readonly AgentProps[] {
  parseAgents(entries, (value) => Token.isUnresolved(value));
  return entries as readonly AgentProps[];
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new Error(`expected a JSON array of agents, got ${JSON.stringify(value)}`, { cause });
  }
}

function origins(context: Context): readonly string[] | undefined {
  const came = context.allowedOrigins;
  if (came === undefined) return undefined;
  const list = typeof came === 'string' ? came.split(',').map((origin) => origin.trim()) : came;
  if (!Array.isArray(list) || !list.every((origin) => typeof origin === 'string')) {
    throw new Error(
      `allowedOrigins: expected a comma-separated list or an array of origins, got ${JSON.stringify(came)}`,
    );
  }
  checkOrigins(list);
  return list;
}

function wholeNumber(context: Context, key: string): number | undefined {
  const came = context[key];
  if (came === undefined) return undefined;
  if (/^\d{1,6}$/.test(String(came))) return Number(came);
  throw new Error(`${key}: expected a whole number from 0, got ${JSON.stringify(came)}`);
}

function text(context: Context, key: string, pattern: RegExp, expected: string): string | undefined {
  const came = context[key];
  if (came === undefined) return undefined;
  if (typeof came === 'string' && (Token.isUnresolved(came) || pattern.test(came))) return came;
  throw new Error(`${key}: expected ${expected}, got ${JSON.stringify(came)}`);
}
