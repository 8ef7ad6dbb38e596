/**
 * Every limit and interval of the function, written once: its environment variable, the member of `Config` and the
 * prop of the construct are all made from this table.
 */

/** One number of the function. */
export interface Setting {
  /** Its environment variable. */
  readonly variable: string;
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: 'ms' | 's' | 'bytes' | 'count';
  /** Why no more, where that is not plain. */
  readonly because?: string;
}

/** setTimeout fires at once for more. */
const LARGEST = 2 ** 31 - 1;

type Bounds = Partial<Pick<Setting, 'minimum' | 'maximum' | 'because'>>;

function setting<Unit extends Setting['unit']>(unit: Unit) {
  return (
    variable: string,
    defaultValue: number,
    bounds: Bounds = {},
  ): Setting & { readonly unit: Unit } => ({
    unit,
    variable,
    default: defaultValue,
    minimum: 1,
    maximum: LARGEST,
    ...bounds,
  });
}

export const ms = setting('ms');
const seconds = setting('s');
export const bytes = setting('bytes');
export const count = setting('count');

export const SETTINGS = {
  /** TCP and TLS towards AgentCore. @default - given up after 5 s */
  connectTimeout: ms('CONNECT_TIMEOUT_MS', 5000),
  /** The upgrade, which AgentCore answers when the session's microVM is up. @default - given up after 60 s */
  handshakeTimeout: ms('HANDSHAKE_TIMEOUT_MS', 60_000),
  /** From the prompt to the agent's first text. @default - given up after 5 min */
  firstChunkTimeout: ms('FIRST_CHUNK_TIMEOUT_MS', 300_000),
  /** Between two messages of the agent. @default - given up after 5 min */
  idleTimeout: ms('IDLE_TIMEOUT_MS', 300_000),
  /** Of one answer. @default - an answer may take 15 min, and never longer than the function's timeout */
  maxDuration: ms('MAX_DURATION_MS', 900_000, {
    maximum: 900_000,
    because: 'Lambda ends an invocation after 15 min',
  }),
  /** Reserved at the end of the function's timeout to close the answer. @default - 3 s are reserved */
  deadlineReserve: ms('DEADLINE_RESERVE_MS', 3000, { minimum: 0 }),
  /** Silence after which an SSE answer begins without text; zero means at once. @default - begins after 25 s */
  commitAfter: ms('COMMIT_AFTER_MS', 25_000, { minimum: 0 }),
  /** Silence after which an SSE answer gets a comment. @default - a comment every 15 s */
  heartbeatInterval: ms('HEARTBEAT_INTERVAL_MS', 15_000),
  /** Attempts after the first, all before the prompt is sent. @default - up to 4 retries */
  maxRetries: count('MAX_RETRIES', 4, { minimum: 0 }),
  /** The first retry waits at most this long; doubled with every retry. @default - 500 ms */
  retryBase: ms('RETRY_BASE_MS', 500),
  /** No retry waits longer. @default - 8 s */
  retryMax: ms('RETRY_MAX_MS', 8000),
  /** Longer prompts are answered 413. @default - 1 MiB */
  maxPromptBytes: bytes('MAX_PROMPT_BYTES', 1_048_576),
  /** A longer message of an agent ends the answer. @default - 1 MiB */
  maxMessageBytes: bytes('MAX_MESSAGE_BYTES', 1_048_576),
  /** Where an answer is cut. @default - 199 MB, below the Function URL's 200 MB */
  maxResponseBytes: bytes('MAX_RESPONSE_BYTES', 199_000_000, {
    maximum: 199_000_000,
    because: 'Lambda cuts a response at 200 MB, and the rest is for its end',
  }),
  /** Idle connections kept per execution environment; zero turns reuse off. @default - 100 are kept */
  poolMaxConnections: count('POOL_MAX_CONNECTIONS', 100, { minimum: 0 }),
  /** How long an idle connection is kept. @default - 5 min */
  poolMaxIdle: ms('POOL_MAX_IDLE_MS', 300_000),
  /** How old a connection may get for another answer; also no older than leaves maxDuration of AgentCore's 60 min. @default - 55 min */
  poolMaxAge: ms('POOL_MAX_AGE_MS', 3_300_000, {
    maximum: 3_599_999,
    because: 'AgentCore ends a connection after 60 min',
  }),
  /** Pings on every open connection. @default - every 20 s, below AgentCore's idle limit of 60 s */
  pingInterval: ms('PING_INTERVAL_MS', 20_000, {
    maximum: 59_999,
    because: 'AgentCore drops a connection that is silent for 60 s',
  }),
  /** Wait for the pong before an idle connection is reused. @default - 500 ms */
  pongTimeout: ms('PONG_TIMEOUT_MS', 500),
  /** Between two counts of the answers under way. @default - once a minute */
  inFlightInterval: ms('IN_FLIGHT_INTERVAL_MS', 60_000),
  /** How long a prompt waits for the store of sessions when everything else is ready. @default - 40 ms */
  sessionStoreWait: ms('SESSION_STORE_WAIT_MS', 40),
  /** How long an answer can be read again, where sessions are kept. @default - 1 h */
  sessionTtl: seconds('SESSION_TTL_SECONDS', 3600, { minimum: 60 }),
};

export type SettingName = keyof typeof SETTINGS;

/** What a number is called in the code, by its unit. */
const SUFFIXES = { ms: 'Ms', s: 'Seconds', bytes: '', count: '' } as const;

/** The numbers of a table as the code uses them: `connectTimeoutMs`, `maxRetries`. */
export type ValuesOf<Table extends Record<string, Setting>> = {
  [Name in keyof Table & string as `${Name}${(typeof SUFFIXES)[Table[Name]['unit']]}`]: number;
};

export type Settings = ValuesOf<typeof SETTINGS>;

/**
 * Reads every setting of a table from an environment; what is absent or empty has its default.
 *
 * @throws Error naming the variable, the expected value and the given one
 */
export function readSettings<Table extends Record<string, Setting>>(
  table: Table,
  env: Record<string, string | undefined>,
): ValuesOf<Table> {
  const values = Object.entries<Setting>(table).map(([name, { unit, variable, ...rest }]) => {
    const key = `${name}${SUFFIXES[unit]}`;
    const came = env[variable];
    if (came === undefined || came === '') return [key, rest.default];
    // Number() alone takes blanks, exponents and hexadecimal digits, too.
    const value = /^\d{1,10}$/.test(came) ? Number(came) : came;
    checkSetting(variable, { unit, variable, ...rest }, value, came);
    return [key, value];
  });
  return Object.fromEntries(values) as ValuesOf<Table>;
}

/**
 * Checks what a setting is to be.
 *
 * @param label what the number is called where it came from
 * @param came what to show of it
 * @throws Error naming it, the expected value and the given one
 */
export function checkSetting(label: string, setting: Setting, value: unknown, came: unknown = value): void {
  const { minimum, maximum, unit, because } = setting;
  if (Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum) return;
  const units = { ms: ' milliseconds', s: ' seconds', bytes: ' bytes', count: '' }[unit];
  throw new Error(
    `${label}: expected a whole number from ${minimum} to ${maximum}${units}${because ? ` (${because})` : ''}, got ${JSON.stringify(came)}`,
  );
}
