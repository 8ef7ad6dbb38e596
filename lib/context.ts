import { Duration, Token } from 'aws-cdk-lib';
import type { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { parseAgents } from '../lambda/agents.ts';
import { readOrigin } from '../lambda/config.ts';
import { checkSetting, SETTINGS, type Setting } from '../lambda/settings.ts';
import {
  checkMemorySize,
  checkOrigins,
  checkServiceName,
  checkStackStatusPrefix,
  checkStage,
  checkWholeNumber,
} from './checks.ts';
import { checkKeys, nearest } from './context-keys.ts';
import type { Deployment } from './deployment.ts';
import type { AgentProps, LimitProps } from './environment.ts';
import { checkRunbookUrl } from './runbook.ts';

/** The agents that have context keys of their own; any others come in the list `agents` instead. */
const KNOWN_AGENTS: readonly Omit<AgentProps, 'runtimeArn'>[] = [
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

const AUTHS = { iam: 'AWS_IAM', none: 'NONE' } as const;

type Context = Readonly<Record<string, unknown>>;

/** A key other than those of agents: how its value becomes props, or an error that names the key. */
const GENERAL_KEYS: Record<string, (came: unknown) => Partial<Deployment>> = {
  stage: (came) => ({ stage: checked('stage', came, checkStage) }),
  serviceName: (came) => ({ serviceName: checked('serviceName', came, checkServiceName) }),
  auth: (came) => ({ authType: authOf(came) }),
  allowedOrigins: (came) => ({ allowedOrigins: originsOf(came) }),
  reservedConcurrency: (came) => ({
    reservedConcurrentExecutions: wholeNumber('reservedConcurrency', came, 0),
  }),
  memorySize: (came) => {
    const memorySize = numberOf(came);
    checkMemorySize(memorySize);
    return { memorySize };
  },
  limits: limitsOf,
  endpointUrl: (came) => ({
    endpointUrl: checked('endpointUrl', came, (url) => readOrigin('endpointUrl', url)),
  }),
  stackStatusPrefix: (came) => ({
    stackStatusPrefix: checked('stackStatusPrefix', came, checkStackStatusPrefix),
  }),
  alarmEmail: (came) => ({
    alarmEmail: matching('alarmEmail', came, /^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'),
  }),
  alarmTopicArn: (came) => ({
    alarmTopicArn: matching(
      'alarmTopicArn',
      came,
      /^arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
      'arn:<partition>:sns:<region>:<account>:<topic name>',
    ),
  }),
  runbookUrl: (came) => ({ runbookUrl: checked('runbookUrl', came, checkRunbookUrl) }),
  slowFirstChunkMs: (came) => ({
    slowFirstChunk: Duration.millis(wholeNumber('slowFirstChunkMs', came, 1)),
  }),
};

/** The limits, by the names that README and errors use. */
const LIMITS: readonly string[] = Object.values<Setting>(SETTINGS).map(({ variable }) => variable);

/** Every context key that is read. */
export const CONTEXT_KEYS: readonly string[] = [
  ...KNOWN_AGENTS.flatMap(({ id }) => [`${id}AgentArn`, `${id}AgentQualifier`, `${id}AgentTransport`]),
  'agents',
  ...Object.keys(GENERAL_KEYS),
];

/** Lines about keys that nobody reads. @throws Error for one that is misspelled, or a limit */
export function unknownKeys(context: Context): string[] {
  for (const [key, came] of Object.entries(context)) {
    if (!LIMITS.includes(key)) continue;
    throw new Error(`${key} is a limit: write -c limits='${JSON.stringify({ [key]: numberOf(came) })}'`);
  }
  return checkKeys(context, CONTEXT_KEYS);
}

/**
 * Turns the whole CDK context (`-c key=value`, where every value is text, and cdk.json) into typed props.
 *
 * @throws Error naming the key, what was expected and what came
 */
export function readContext(context: Context): Deployment {
  unknownKeys(context);
  const general = Object.entries(GENERAL_KEYS).map(([key, read]) =>
    context[key] === undefined ? {} : read(context[key]),
  );
  const deployment: Deployment = Object.assign({ agents: agents(context) }, ...general);
  if (context.auth !== 'none') return deployment;
  // As the construct does, which knows nothing of context keys.
  if (deployment.allowedOrigins === undefined) {
    throw new Error(
      'auth=none needs allowedOrigins: anybody may call, so name the origins whose pages may (a list such as https://app.example.com)',
    );
  }
  if (deployment.reservedConcurrentExecutions === undefined) {
    throw new Error(
      'auth=none needs reservedConcurrency: anybody may call, so say how many answers may stream (and be paid for) at once',
    );
  }
  return deployment;
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
    throw new Error(`agents and ${known[0]?.id}AgentArn are both given: use one or the other`);
  }
  try {
    return validated(parsed(context.agents, 'a JSON array of agents'));
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
  // A variable of the shell that is not set.
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

/** An error by the key that was typed: `mwcAgentTransport` for `agent "mwc": "transport"`. */
function byKey(id: string, message: string): string {
  const keys: Record<string, string> = { qualifier: 'Qualifier', transport: 'Transport' };
  return message.replace(/^agent "\w+": (?:"(\w+)" )?/, (_all, key) => `${id}Agent${keys[key] ?? 'Arn'}: `);
}

/** The function fills the defaults in; here they would only hide what was given. */
function validated(entries: unknown): readonly AgentProps[] {
  parseAgents(entries, (value) => Token.isUnresolved(value));
  return entries as readonly AgentProps[];
}

/** `{"HANDSHAKE_TIMEOUT_MS": 90000}` */
function limitsOf(came: unknown): LimitProps {
  const expected = 'a JSON object of limits such as {"HANDSHAKE_TIMEOUT_MS": 90000}';
  const given = labelled('limits', () => parsed(came, expected));
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Error(`limits: expected ${expected}, got ${JSON.stringify(came)}`);
  }
  const byVariable = new Map(
    Object.entries<Setting>(SETTINGS).map(([name, setting]) => [setting.variable, { name, setting }]),
  );
  const props = Object.entries(given).map(([variable, value]) => {
    const found = byVariable.get(variable);
    if (found === undefined) {
      const near = nearest(variable, LIMITS);
      throw new Error(
        `limits: unknown limit "${variable}": ${near === undefined ? `expected one of ${LIMITS.join(', ')}` : `did you mean "${near}"?`}`,
      );
    }
    const { name, setting } = found;
    checkSetting(`limits: ${variable}`, setting, value);
    return [name, setting.unit === 'ms' ? Duration.millis(value as number) : value];
  });
  return Object.fromEntries(props) as LimitProps;
}

function authOf(came: unknown): FunctionUrlAuthType {
  const auth = matching('auth', came, /^(iam|none)$/, `one of ${Object.keys(AUTHS).join(', ')}`);
  return AUTHS[auth as keyof typeof AUTHS] as FunctionUrlAuthType;
}

function originsOf(came: unknown): readonly string[] {
  const list = typeof came === 'string' ? came.split(',').map((origin) => origin.trim()) : came;
  if (!Array.isArray(list) || !list.every((origin) => typeof origin === 'string')) {
    throw new Error(
      `allowedOrigins: expected a comma-separated list or an array of origins, got ${JSON.stringify(came)}`,
    );
  }
  checkOrigins(list);
  return list;
}

function wholeNumber(key: string, came: unknown, minimum: number): number {
  const value = numberOf(came);
  checkWholeNumber(key, value, minimum);
  return value;
}

/** What is no whole number stays as it is, for the check that follows. */
function numberOf(came: unknown): number {
  return /^\d{1,9}$/.test(String(came)) ? Number(came) : (came as number);
}

function checked(key: string, came: unknown, check: (text: string) => unknown): string {
  if (typeof came !== 'string') throw new Error(`${key}: expected a text, got ${JSON.stringify(came)}`);
  check(came);
  return came;
}

function matching(key: string, came: unknown, pattern: RegExp, expected: string): string {
  if (typeof came === 'string' && (Token.isUnresolved(came) || pattern.test(came))) return came;
  throw new Error(`${key}: expected ${expected}, got ${JSON.stringify(came)}`);
}

function parsed(value: unknown, expected: string): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new Error(`expected ${expected}, got ${JSON.stringify(value)}`, { cause });
  }
}

function labelled<T>(key: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${key}: ${(cause as Error).message}`, { cause });
  }
}
