import { type Duration, Token, Tokenization } from 'aws-cdk-lib';
import { type AgentEntry, parseAgents } from '../lambda/agents.ts';
import { dataPlaneOrigin, parseRuntimeArn } from '../lambda/arn.ts';
import { readOrigin } from '../lambda/config.ts';
import { ENV, SERVICE_NAME } from '../lambda/contract.ts';
import { readHttpUrl } from '../lambda/otlp-config.ts';
import { checkSetting, LAMBDA_SETTINGS, type Setting, type SettingName } from '../lambda/settings.ts';
import { DEFAULT_STAGE } from './stage.ts';

/** The limits and intervals of the function (`lambda/settings.ts`). Times are given as durations. */
export type LimitProps = {
  readonly [Name in keyof typeof LAMBDA_SETTINGS]?: (typeof LAMBDA_SETTINGS)[Name]['unit'] extends 'ms' | 's'
    ? Duration
    : number;
};

export interface TuningProps extends LimitProps {
  /**
   * Turns on the route /api/stacks/status/{stackName} for stacks whose name begins with this prefix. The prefix `*`
   * stands for all stacks.
   *
   * @default - the route is off, and the role cannot read any stack
   */
  readonly stackStatusPrefix?: string;
  /**
   * The origin that replaces AgentCore's data plane, for example the origin of a VPC endpoint.
   *
   * @default - the endpoint of each runtime's region
   */
  readonly endpointUrl?: string;
  /**
   * The address of an OpenTelemetry collector that receives a trace of each answer over HTTP; `/v1/traces` is added to
   * it.
   *
   * @default - X-Ray receives the traces of sampled answers
   */
  readonly otlpEndpoint?: string;
}

/**
 * Returns the environment of the function: the agents, and every other value that differs from its default.
 *
 * @throws Error naming the agent or the property that is wrong
 */
export function functionEnvironment(
  agents: readonly AgentEntry[],
  { stage, serviceName }: { readonly stage: string | undefined; readonly serviceName: string },
  tuning: TuningProps,
  further: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const { endpointUrl, otlpEndpoint, stackStatusPrefix } = tuning;
  if (otlpEndpoint !== undefined && !Token.isUnresolved(otlpEndpoint))
    readHttpUrl('otlpEndpoint', otlpEndpoint);
  checkEndpoints(agents, endpointUrl);
  const environment = {
    [ENV.AGENTS]: JSON.stringify(agents.map(withoutDefaults)),
    ...(stage !== undefined && stage !== DEFAULT_STAGE && { [ENV.STAGE]: stage }),
    ...(serviceName !== SERVICE_NAME && { [ENV.SERVICE_NAME]: serviceName }),
    ...(endpointUrl !== undefined && { [ENV.ENDPOINT_URL]: endpointUrl }),
    ...(otlpEndpoint !== undefined && { [ENV.OTLP_ENDPOINT]: otlpEndpoint }),
    ...(stackStatusPrefix !== undefined && { [ENV.STACK_STATUS_PREFIX]: stackStatusPrefix }),
    ...further,
    ...limits(tuning),
  };
  const problem = environmentProblem(environment);
  if (problem !== undefined) throw new Error(problem);
  return environment;
}

function limits(given: LimitProps): Record<string, string> {
  const entries = Object.entries<Setting>(LAMBDA_SETTINGS).flatMap(([name, setting]) => {
    const value = given[name as SettingName];
    return value === undefined ? [] : [[setting.variable, limit(name, setting, value)]];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

function limit(name: string, setting: Setting, given: Duration | number): string {
  if (typeof given === 'number' && Token.isUnresolved(given)) return Tokenization.stringifyNumber(given);
  if (typeof given !== 'number' && given.isUnresolved()) {
    throw new Error(`${name}: expected a duration that is known at synthesis, got a token`);
  }
  const unit = setting.unit === 's' ? 1000 : 1;
  const value = typeof given === 'number' ? given : given.toMilliseconds({ integral: false }) / unit;
  checkSetting(name, setting, value);
  return String(value);
}

/** Checks the endpoints with the function's own readers, so that synthesis refuses what a cold start would refuse. */
function checkEndpoints(agents: readonly AgentEntry[], endpointUrl: string | undefined): void {
  const isKnown = endpointUrl !== undefined && !Token.isUnresolved(endpointUrl);
  const override = isKnown ? readOrigin('endpointUrl', endpointUrl) : undefined;
  if (endpointUrl !== undefined && override === undefined) return;
  for (const { id, runtimeArn } of agents) {
    if (Token.isUnresolved(runtimeArn)) continue;
    try {
      dataPlaneOrigin(parseRuntimeArn(runtimeArn), { fips: false, dualStack: false, override });
    } catch (cause) {
      throw new Error(`agents: agent "${id}": ${(cause as Error).message}`, { cause });
    }
  }
}

const [DEFAULTS] = parseAgents([
  {
    id: 'any',
    name: 'any',
    runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/any-0123456789',
  },
]);

/** Leaves out the defaults, which the function fills in again: twice as many agents fit without them. */
function withoutDefaults(agent: AgentEntry): Partial<AgentEntry> {
  const isDefault = (key: string, value: unknown) =>
    JSON.stringify(value) === JSON.stringify(DEFAULTS?.[key as keyof AgentEntry]);
  return Object.fromEntries(Object.entries(agent).filter(([key, value]) => !isDefault(key, value)));
}

/** Lambda allows 4,096 bytes, names included. The difference is left for variables that Lambda adds. */
const MAX_ENVIRONMENT_BYTES = 4000;

/** The length of the longest runtime ARN, which a token may become. */
const TOKEN_BYTES = 160;

/**
 * Returns why Lambda would refuse an environment; undefined when Lambda accepts it.
 *
 * @param variables the variables as they were given, or as CloudFormation will read them
 */
export function environmentProblem(variables: Readonly<Record<string, unknown>>): string | undefined {
  const entries = Object.entries(variables).map(([name, value]) => ({ name, text: textOf(value) }));
  const sizes = entries.map(({ name, text }) => ({ name, bytes: Buffer.byteLength(name + text) }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= MAX_ENVIRONMENT_BYTES) return undefined;
  const { name, bytes } = largest(sizes);
  const problem = `the function's environment has ${total} bytes, more than the ${MAX_ENVIRONMENT_BYTES} allowed: the largest entry is ${name} (${bytes} bytes)`;
  if (name !== ENV.AGENTS) return problem;
  const agents = JSON.parse(entries.find((entry) => entry.name === name)?.text ?? '[]') as AgentEntry[];
  const agent = largest(agents.map((one) => ({ id: one.id, bytes: Buffer.byteLength(JSON.stringify(one)) })));
  return `${problem}, in it agent "${agent.id}" (${agent.bytes} bytes): shorten its description and capabilities, or configure fewer agents`;
}

function largest<Sized extends { readonly bytes: number }>(sized: readonly Sized[]): Sized {
  return sized.reduce((a, b) => (b.bytes > a.bytes ? b : a));
}

/** Returns a value as text, with every token at its greatest length. */
function textOf(value: unknown): string {
  const token = 'x'.repeat(TOKEN_BYTES);
  if (typeof value === 'string') return value.replace(/\$\{Token\[[^\]]*\]\}/g, token);
  const { 'Fn::Join': join } = value as { 'Fn::Join'?: [string, unknown[]] };
  return join ? join[1].map(textOf).join(join[0]) : token;
}
