import { type Agent, parseAgents } from './agents.ts';
import { dataPlaneOrigin, type EndpointOptions, parseRuntimeArn, serviceOrigin } from './arn.ts';
import { ENV, MEMORY_TABLE, SERVICE_NAME } from './contract.ts';
import { type OtlpTarget, readOtlp } from './otlp-config.ts';
import { LAMBDA_SETTINGS, readSettings, type Settings } from './settings.ts';

/** AWS credentials, long-lived or of a role. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** The place of an AWS service. */
export interface ServiceEndpoint {
  region: string;
  origin: URL;
}

/** The whole configuration from the environment, which is read once per cold start. */
export interface Config extends Settings {
  agents: readonly Agent[];
  stage: string;
  /** The name in logs, metrics and traces. */
  serviceName: string;
  /** The credentials from the environment. Undefined means that the AWS SDK's default chain is asked. */
  credentials: Credentials | undefined;
  /**
   * The beginning of the names of stacks whose status is shown. Empty means every stack, undefined that the route is
   * off.
   */
  stackStatusPrefix: string | undefined;
  /**
   * The table that keeps sessions. Undefined means that sessions are not kept and the routes that need them are off.
   */
  sessionTable: string | undefined;
  /** The place of the table. Undefined when there is no table. */
  sessionTableEndpoint: ServiceEndpoint | undefined;
  /** Whether a session belongs to the IAM identity that began it. */
  sessionBinding: 'none' | 'iam';
  /** Whether the agent is told the caller's IAM identity. */
  userId: 'none' | 'iam';
  /** Whether callers may start a session before its first prompt. */
  warmSessions: boolean;
  /** Whether sampled invocations send a trace to X-Ray. */
  tracing: boolean;
  /** The OpenTelemetry collector that receives traces. Undefined means that X-Ray receives them. */
  otlp: OtlpTarget | undefined;
}

type Environment = Record<string, string | undefined>;

const USE_FIPS = 'AWS_USE_FIPS_ENDPOINT';
const USE_DUAL_STACK = 'AWS_USE_DUALSTACK_ENDPOINT';

/**
 * Reads the function's environment. No other code reads it.
 *
 * @param settings the limits with the bounds of the host
 * @throws Error naming the variable, the expected value and the given one
 */
export function readConfig(env: Environment = process.env, settings = LAMBDA_SETTINGS): Config {
  const flag = (name: string, byDefault = false): boolean => {
    const given = env[name]?.toLowerCase() || String(byDefault);
    if (given === 'true' || given === 'false') return given === 'true';
    throw new Error(`${name}: expected true or false, got ${JSON.stringify(env[name])}`);
  };
  const noneOrIam = (name: string): 'none' | 'iam' => {
    const given = env[name] || 'none';
    if (given === 'none' || given === 'iam') return given;
    throw new Error(`${name}: expected none or iam, got ${JSON.stringify(given)}`);
  };
  const endpoint = env[ENV.ENDPOINT_URL];
  const prefix = env[ENV.STACK_STATUS_PREFIX];

  const kind = { fips: flag(USE_FIPS), dualStack: flag(USE_DUAL_STACK) };
  const agents = readAgents(env[ENV.AGENTS], {
    ...kind,
    override: endpoint ? readOrigin(ENV.ENDPOINT_URL, endpoint) : undefined,
  });
  const sessionTable = readTable(ENV.SESSION_TABLE, env[ENV.SESSION_TABLE]);

  return Object.freeze({
    agents,
    stage: env[ENV.STAGE] || 'dev',
    serviceName: readServiceName(env),
    credentials: readCredentials(env),
    ...readSettings(settings, env),
    sessionTable,
    sessionTableEndpoint:
      sessionTable === undefined || sessionTable === MEMORY_TABLE
        ? undefined
        : readTableEndpoint(env, agents[0]?.arn.partition ?? 'aws', kind),
    sessionBinding: noneOrIam(ENV.SESSION_BINDING),
    userId: noneOrIam(ENV.USER_ID),
    warmSessions: flag(ENV.WARM_SESSIONS, true),
    stackStatusPrefix: prefix === '*' ? '' : prefix || undefined,
    tracing: env.POWERTOOLS_TRACE_ENABLED?.toLowerCase() !== 'false',
    otlp: readOtlp(env),
  });
}

/** Reads the name of the service in logs and metrics. It never throws, so that a failing start can be logged under it. */
export function readServiceName(env: Environment = process.env): string {
  return env[ENV.SERVICE_NAME] || SERVICE_NAME;
}

function readAgents(given: string | undefined, endpoint: EndpointOptions): Agent[] {
  if (endpoint.override !== undefined) refuseKindOf(ENV.ENDPOINT_URL, endpoint);
  try {
    return parseAgents(parseJson(given)).map((entry) => {
      const arn = parseRuntimeArn(entry.runtimeArn);
      return { entry, arn, origin: dataPlaneOrigin(arn, endpoint) };
    });
  } catch (cause) {
    throw new Error(`${ENV.AGENTS}: ${(cause as Error).message}`, { cause });
  }
}

/** A custom endpoint is of no kind, as in every AWS SDK: who asks for FIPS must not get something else unsaid. */
function refuseKindOf(name: string, { fips, dualStack }: Pick<EndpointOptions, 'fips' | 'dualStack'>): void {
  if (!fips && !dualStack) return;
  throw new Error(
    `${name}: a custom endpoint cannot be combined with ${USE_FIPS} or ${USE_DUAL_STACK}, got one of them set to true`,
  );
}

function parseJson(given: string | undefined): unknown {
  if (given === undefined) return undefined;
  try {
    return JSON.parse(given);
  } catch {
    throw new Error(`expected a JSON array of agents, got ${JSON.stringify(given.slice(0, 100))}`);
  }
}

/**
 * Reads an address that must be only an origin.
 *
 * @param label the name of the variable or the prop, for the error
 * @throws Error naming the label, the expected value and the given one
 */
export function readOrigin(label: string, given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    url.search ||
    url.hash ||
    url.username ||
    url.password
  ) {
    throw new Error(`${label}: expected an origin such as https://host:port, got ${JSON.stringify(given)}`);
  }
  return url.origin;
}

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
function readTable(name: string, given: string | undefined): string | undefined {
  if (!given || given === MEMORY_TABLE || /^[\w.-]{3,255}$/.test(given)) return given || undefined;
  throw new Error(
    `${name}: expected the name of a DynamoDB table, or ${MEMORY_TABLE} for the memory of one process, got ${JSON.stringify(given)}`,
  );
}

/**
 * Reads the place of the table. The table is in the function's own region, and in the partition of its agents, because
 * credentials do not reach another partition.
 */
function readTableEndpoint(
  env: Environment,
  partition: string,
  kind: Pick<EndpointOptions, 'fips' | 'dualStack'>,
): ServiceEndpoint {
  const region = env.AWS_REGION;
  if (!region) throw new Error('AWS_REGION: expected the region of the table of sessions, got nothing');
  // The variable of the service comes first, as in every AWS SDK.
  const name = ['AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL'].find((one) => env[one]);
  const override = name && readOrigin(name, env[name] as string);
  if (name) refuseKindOf(name, kind);
  // In this partition the plain endpoint is the one that FIPS 140 holds for.
  const fips = kind.fips && (partition !== 'aws-us-gov' || kind.dualStack);
  return { region, origin: serviceOrigin('dynamodb', { partition, region }, { ...kind, fips, override }) };
}

/** Reads the credentials that Lambda gives. A developer without them uses a profile. */
function readCredentials(env: Environment): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
}

/** Returns the lowest level that is logged. Lambda's own setting takes precedence over that of Powertools. */
export function readLogLevel(env: Environment = process.env): string {
  const level = (
    env.AWS_LAMBDA_LOG_LEVEL ||
    env.POWERTOOLS_LOG_LEVEL ||
    env.LOG_LEVEL ||
    'INFO'
  ).toUpperCase();
  return level === 'FATAL' ? 'CRITICAL' : level;
}

/** Returns the trace of the current invocation, such as `1-5759e988-bd862e3fe1be46a994272793`; the runtime sets it. */
export function readTraceId(env: Environment = process.env): string | undefined {
  return /Root=([^;]+)/.exec(env._X_AMZN_TRACE_ID ?? '')?.[1];
}
