import type { Config } from '../config.ts';
import { ENV } from '../contract.ts';
import { bytes, count, ms, readSettings, type ValuesOf } from '../settings.ts';

/** The limits of the server alone, beside those of every host (`settings.ts`). */
export const SERVER_SETTINGS = {
  /** Most requests under way at once; a further one is answered 503. @default - 1,000 at once */
  maxStreams: count('MAX_STREAMS', 1000),
  /** Of a request, from its first byte to the end of its answer. @default - 15 min */
  requestTimeout: ms('REQUEST_TIMEOUT_MS', 900_000),
  /** What answers that are under way get when the server is told to end. @default - 25 s, below the 30 s of ECS */
  shutdownGrace: ms('SHUTDOWN_GRACE_MS', 25_000, { minimum: 0 }),
  /** How long an idle connection is kept; longer than the load balancer keeps it. @default - 75 s */
  keepAliveTimeout: ms('KEEP_ALIVE_TIMEOUT_MS', 75_000),
  /** A longer body is answered 413. @default - 6 MiB, as a Function URL */
  maxRequestBytes: bytes('MAX_REQUEST_BYTES', 6_291_456),
};

/** Environment variables of the server, beside its limits. */
export const SERVER_ENV = {
  /** Where a Lambda Web Function listens, `host:port`; goes over HOST and PORT. */
  WEB_FUNCTION_ENDPOINT: 'AWS_LAMBDA_HTTP_ENDPOINT',
  HOST: 'HOST',
  PORT: 'PORT',
  /** Origins of the pages that may call, separated by commas, or `*`. */
  ALLOWED_ORIGINS: 'ALLOWED_ORIGINS',
} as const;

export interface ServerConfig extends ValuesOf<typeof SERVER_SETTINGS> {
  host: string;
  /** 0: any free one. */
  port: number;
  allowedOrigins: readonly string[];
  /** Whether requests come through Lambda, which gives each an id. */
  isWebFunction: boolean;
}

/**
 * Reads what only the server needs of the environment.
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
 * Refuses what needs the IAM identity of a caller, which only a Function URL tells.
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

function readEndpoint(came: string): Pick<ServerConfig, 'host' | 'port'> {
  const [, host, port] = /^(.+):(\d+)$/.exec(came) ?? [];
  if (host === undefined || port === undefined) {
    throw new Error(
      `${SERVER_ENV.WEB_FUNCTION_ENDPOINT}: expected host:port such as 0.0.0.0:3000, got ${JSON.stringify(came)}`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: readPort(SERVER_ENV.WEB_FUNCTION_ENDPOINT, port) };
}

function readPort(variable: string, came: string): number {
  if (/^\d{1,5}$/.test(came) && Number(came) <= 65_535) return Number(came);
  throw new Error(`${variable}: expected a port from 0 to 65535, got ${JSON.stringify(came)}`);
}

function readOrigins(came = ''): readonly string[] {
  const origins = came
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
