import type { Config } from '../config.ts';
import { ENV } from '../contract.ts';
import { bytes, count, ms, readSettings, SETTINGS, type ValuesOf } from '../settings.ts';

/** The limits that only the server has. `settings.ts` has the limits of every host. */
export const SERVER_SETTINGS = {
  /** The most requests that run at once. A further request is answered 503. @default - 1,000 at once */
  maxStreams: count('MAX_STREAMS', 1000),
  /** The longest time from a request's first byte to the end of its answer. @default - 15 min */
  requestTimeout: ms('REQUEST_TIMEOUT_MS', 900_000),
  /** The time that running answers get when the server is told to end. @default - 25 s, below the 30 s of ECS */
  shutdownGrace: ms('SHUTDOWN_GRACE_MS', 25_000, { minimum: 0 }),
  /** How long an idle connection is kept, which must be longer than the load balancer keeps it. @default - 75 s */
  keepAliveTimeout: ms('KEEP_ALIVE_TIMEOUT_MS', 75_000),
  /** The longest body. A longer one is answered 413. @default - 6 MiB, as on a Function URL */
  maxRequestBytes: bytes('MAX_REQUEST_BYTES', 6_291_456),
};

/** The environment variables of the server other than its limits. */
export const SERVER_ENV = {
  /** The address that a Lambda Web Function listens on, `host:port`. It takes precedence over HOST and PORT. */
  WEB_FUNCTION_ENDPOINT: 'AWS_LAMBDA_HTTP_ENDPOINT',
  HOST: 'HOST',
  PORT: 'PORT',
  /** Origins of the pages that may call, separated by commas, or `*`. */
  ALLOWED_ORIGINS: 'ALLOWED_ORIGINS',
} as const;

export interface ServerConfig extends ValuesOf<typeof SERVER_SETTINGS> {
  host: string;
  /** The port to listen on; 0 means any free port. */
  port: number;
  allowedOrigins: readonly string[];
  /** Whether requests come through Lambda, which gives each an id. */
  isWebFunction: boolean;
}

/**
 * Reads the variables of the environment that only the server needs.
 *
 * @throws Error naming the variable, the expected value and the given one
 */
export function readServerConfig(env: Record<string, string | undefined> = process.env): ServerConfig {
  const endpoint = env[SERVER_ENV.WEB_FUNCTION_ENDPOINT];
  return Object.freeze({
    ...(endpoint
      ? readEndpoint(endpoint)
      : { host: env[SERVER_ENV.HOST] || '0.0.0.0', port: readPort(SERVER_ENV.PORT, env.PORT || '8080') }),
    allowedOrigins: readOrigins(env[SERVER_ENV.ALLOWED_ORIGINS]),
    isWebFunction: Boolean(endpoint),
    ...readSettings(SERVER_SETTINGS, env),
  });
}

/**
 * Refuses settings that need the IAM identity of callers, which only a Function URL tells.
 *
 * @throws Error naming the variable, the expected value and the given one
 */
export function refuseIdentities({
  sessionBinding,
  userId,
}: Pick<Config, 'sessionBinding' | 'userId'>): void {
  for (const [variable, value] of [
    [ENV.SESSION_BINDING, sessionBinding],
    [ENV.USER_ID, userId],
  ]) {
    if (value === 'none') continue;
    throw new Error(
      `${variable}: expected none on a server, which does not know its callers' identities, got ${JSON.stringify(value)}`,
    );
  }
}

/**
 * Refuses answers of more than 15 minutes if requests may not take as long: the shorter limit would end them without
 * anybody noticing. A `MAX_DURATION_MS` up to its default is only a maximum.
 *
 * @throws Error naming both variables and the given values
 */
export function refuseShorterRequests(
  { maxDurationMs }: Pick<Config, 'maxDurationMs'>,
  { requestTimeoutMs }: Pick<ServerConfig, 'requestTimeoutMs'>,
): void {
  const { variable, default: usual } = SETTINGS.maxDuration;
  if (maxDurationMs <= Math.max(requestTimeoutMs, usual)) return;
  throw new Error(
    `${variable}: expected at most ${SERVER_SETTINGS.requestTimeout.variable}, which ends every request after ${requestTimeoutMs} milliseconds, got ${maxDurationMs}`,
  );
}

function readEndpoint(given: string): Pick<ServerConfig, 'host' | 'port'> {
  const [, host, port] = /^(.+):(\d+)$/.exec(given) ?? [];
  if (host === undefined || port === undefined) {
    throw new Error(
      `${SERVER_ENV.WEB_FUNCTION_ENDPOINT}: expected host:port such as 0.0.0.0:3000, got ${JSON.stringify(given)}`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: readPort(SERVER_ENV.WEB_FUNCTION_ENDPOINT, port) };
}

function readPort(variable: string, given: string): number {
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  throw new Error(`${variable}: expected a port from 0 to 65535, got ${JSON.stringify(given)}`);
}

function readOrigins(given = ''): readonly string[] {
  const origins = given
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  for (const origin of origins) {
    if (origin === '*' || isWebOrigin(origin)) continue;
    throw new Error(
      `${SERVER_ENV.ALLOWED_ORIGINS}: expected origins such as https://app.example.com separated by commas, or *, got ${JSON.stringify(origin)}`,
    );
  }
  return origins;
}

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
