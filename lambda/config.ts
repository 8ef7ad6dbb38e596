import { dataPlaneOrigin, type EndpointOptions, parseRuntimeArn } from './agentcore/arn.ts';
import type { Credentials } from './agentcore/signing.ts';
import { type Agent, parseAgents } from './agents.ts';
import { ENV, serviceNameOf } from './contract.ts';

/** Everything that the environment says, read once per cold start. */
export interface Config {
  agents: readonly Agent[];
  stage: string;
  /** Of logs, metrics and traces. */
  serviceName: string;
  /** Undefined: the AWS SDK's default chain is asked. */
  credentials: Credentials | undefined;
  connectTimeoutMs: number;
  handshakeTimeoutMs: number;
  firstChunkTimeoutMs: number;
  idleTimeoutMs: number;
  maxDurationMs: number;
  deadlineReserveMs: number;
  commitAfterMs: number;
  heartbeatIntervalMs: number;
  maxRetries: number;
  retryBaseMs: number;
  retryMaxMs: number;
  maxPromptBytes: number;
  maxMessageBytes: number;
  maxResponseBytes: number;
  poolMaxConnections: number;
  poolMaxIdleMs: number;
  poolMaxAgeMs: number;
  pingIntervalMs: number;
  pongTimeoutMs: number;
  /** Undefined: the route is off. Empty: every stack. */
  stackStatusPrefix: string | undefined;
  /** Whether sampled invocations send a trace. */
  tracing: boolean;
}

type Environment = Record<string, string | undefined>;

const USE_FIPS = 'AWS_USE_FIPS_ENDPOINT';
const USE_DUAL_STACK = 'AWS_USE_DUALSTACK_ENDPOINT';

/**
 * Reads the function's environment; nothing else does.
 *
 * @throws Error naming the variable, what was expected and what came
 */
export function readConfig(env: Environment = process.env): Config {
  const integer = (name: string, defaultValue: number, minimum: number): number => {
    const came = env[name];
    if (came === undefined || came === '') return defaultValue;
    // setTimeout fires at once for more than 2^31 - 1.
    if (/^\d{1,10}$/.test(came) && Number(came) >= minimum && Number(came) < 2 ** 31) return Number(came);
    throw new Error(
      `${name}: expected a whole number from ${minimum} to 2147483647, got ${JSON.stringify(came)}`,
    );
  };
  const flag = (name: string): boolean => {
    const came = env[name]?.toLowerCase() ?? '';
    if (came === 'true' || came === 'false' || came === '') return came === 'true';
    throw new Error(`${name}: expected true or false, got ${JSON.stringify(env[name])}`);
  };
  const prefix = env[ENV.STACK_STATUS_PREFIX];

  return Object.freeze({
    agents: readAgents(env[ENV.AGENTS], {
      fips: flag(USE_FIPS),
      dualStack: flag(USE_DUAL_STACK),
      override: readOverride(env),
    }),
    stage: env[ENV.STAGE] || 'dev',
    serviceName: env.POWERTOOLS_SERVICE_NAME || serviceNameOf(env[ENV.STAGE] || undefined),
    credentials: readCredentials(env),
    connectTimeoutMs: integer(ENV.CONNECT_TIMEOUT_MS, 5000, 1),
    handshakeTimeoutMs: integer(ENV.HANDSHAKE_TIMEOUT_MS, 60_000, 1),
    firstChunkTimeoutMs: integer(ENV.FIRST_CHUNK_TIMEOUT_MS, 300_000, 1),
    idleTimeoutMs: integer(ENV.IDLE_TIMEOUT_MS, 300_000, 1),
    maxDurationMs: integer(ENV.MAX_DURATION_MS, 900_000, 1),
    deadlineReserveMs: integer(ENV.DEADLINE_RESERVE_MS, 3000, 0),
    commitAfterMs: integer(ENV.COMMIT_AFTER_MS, 25_000, 0),
    heartbeatIntervalMs: integer(ENV.HEARTBEAT_INTERVAL_MS, 15_000, 1),
    maxRetries: integer(ENV.MAX_RETRIES, 4, 0),
    retryBaseMs: integer(ENV.RETRY_BASE_MS, 500, 1),
    retryMaxMs: integer(ENV.RETRY_MAX_MS, 8000, 1),
    maxPromptBytes: integer(ENV.MAX_PROMPT_BYTES, 1_048_576, 1),
    maxMessageBytes: integer(ENV.MAX_MESSAGE_BYTES, 1_048_576, 1),
    maxResponseBytes: integer(ENV.MAX_RESPONSE_BYTES, 199_000_000, 1),
    poolMaxConnections: integer(ENV.POOL_MAX_CONNECTIONS, 100, 0),
    poolMaxIdleMs: integer(ENV.POOL_MAX_IDLE_MS, 300_000, 1),
    poolMaxAgeMs: integer(ENV.POOL_MAX_AGE_MS, 3_300_000, 1),
    pingIntervalMs: integer(ENV.PING_INTERVAL_MS, 20_000, 1),
    pongTimeoutMs: integer(ENV.PONG_TIMEOUT_MS, 500, 1),
    stackStatusPrefix: prefix === '*' ? '' : prefix || undefined,
    tracing: env.POWERTOOLS_TRACE_ENABLED?.toLowerCase() !== 'false',
  });
}

function readAgents(came: string | undefined, endpoint: EndpointOptions): Agent[] {
  if (endpoint.override !== undefined && (endpoint.fips || endpoint.dualStack)) {
    throw new Error(
      `${ENV.ENDPOINT_URL}: a custom endpoint cannot be combined with ${USE_FIPS} or ${USE_DUAL_STACK}, got one of them set to true`,
    );
  }
  try {
    return parseAgents(parseJson(came)).map((entry) => {
      const arn = parseRuntimeArn(entry.runtimeArn);
      return { entry, arn, origin: dataPlaneOrigin(arn, endpoint) };
    });
  } catch (cause) {
    throw new Error(`${ENV.AGENTS}: ${(cause as Error).message}`, { cause });
  }
}

function parseJson(came: string | undefined): unknown {
  if (came === undefined) return undefined;
  try {
    return JSON.parse(came);
  } catch {
    throw new Error(`expected a JSON array of agents, got ${JSON.stringify(came.slice(0, 100))}`);
  }
}

function readOverride(env: Environment): string | undefined {
  const came = env[ENV.ENDPOINT_URL];
  if (!came) return undefined;
  const url = URL.canParse(came) ? new URL(came) : undefined;
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    url.search ||
    url.hash ||
    url.username ||
    url.password
  ) {
    throw new Error(
      `${ENV.ENDPOINT_URL}: expected an origin such as https://host:port, got ${JSON.stringify(came)}`,
    );
  }
  return url.origin;
}

/** What Lambda gives. A developer who has none of it uses a profile. */
function readCredentials(env: Environment): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
}
