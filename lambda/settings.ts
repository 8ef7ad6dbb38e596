/**
 * The limits and intervals of the function. The environment variables, the members of `Config` and the props of the
 * constructs are all made from this table.
 */

/** One number of the function. */
export interface Setting {
  /** The environment variable of the number. */
  readonly variable: string;
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: 'ms' | 's' | 'bytes' | 'count';
  /** The reason for the maximum, for the error. */
  readonly because?: string;
  /** The maximum on hosts of Lambda, if Lambda allows less than a container can have. */
  readonly onLambda?: { readonly maximum: number; readonly because: string };
}

/** The largest number that setTimeout takes; with a larger one it fires at once. */
const LARGEST = 2 ** 31 - 1;

type Bounds = Partial<Pick<Setting, 'minimum' | 'maximum' | 'because' | 'onLambda'>>;

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
  /** The longest time for TCP and TLS towards AgentCore. @default - given up after 5 s */
  connectTimeout: ms('CONNECT_TIMEOUT_MS', 5000),
  /** The longest upgrade. AgentCore answers it when the session's microVM is up. @default - given up after 60 s */
  handshakeTimeout: ms('HANDSHAKE_TIMEOUT_MS', 60_000),
  /** The longest time from the prompt to the agent's first text. @default - given up after 5 min */
  firstChunkTimeout: ms('FIRST_CHUNK_TIMEOUT_MS', 300_000),
  /** The longest time between two messages of the agent. @default - given up after 5 min */
  idleTimeout: ms('IDLE_TIMEOUT_MS', 300_000),
  /**
   * The longest answer. In a container it may take up to 60 min.
   *
   * @default - an answer may take 15 min, and never longer than the function's timeout
   */
  maxDuration: ms('MAX_DURATION_MS', 900_000, {
    maximum: 3_600_000,
    because: 'AgentCore ends a connection after 60 min',
    onLambda: { maximum: 900_000, because: 'Lambda ends an invocation after 15 min' },
  }),
  /** The time that is reserved at the end of the function's timeout to close the answer. @default - 3 s are reserved */
  deadlineReserve: ms('DEADLINE_RESERVE_MS', 3000, { minimum: 0 }),
  /** The silence after which an SSE answer begins without text; zero means at once. @default - begins after 25 s */
  commitAfter: ms('COMMIT_AFTER_MS', 25_000, { minimum: 0 }),
  /** The silence after which an SSE answer gets a comment. @default - a comment every 15 s */
  heartbeatInterval: ms('HEARTBEAT_INTERVAL_MS', 15_000),
  /** The most attempts after the first one, all before the prompt is sent. @default - up to 4 retries */
  maxRetries: count('MAX_RETRIES', 4, { minimum: 0 }),
  /** The longest wait before the first retry. It doubles with every retry. @default - 500 ms */
  retryBase: ms('RETRY_BASE_MS', 500),
  /** The longest wait before any retry. @default - 8 s */
  retryMax: ms('RETRY_MAX_MS', 8000),
  /** The longest prompt. A longer one is answered 413. @default - 1 MiB */
  maxPromptBytes: bytes('MAX_PROMPT_BYTES', 1_048_576),
  /** The longest message of an agent. A longer one ends the answer. @default - 1 MiB */
  maxMessageBytes: bytes('MAX_MESSAGE_BYTES', 1_048_576),
  /** The size at which an answer is cut. @default - 199 MB, below the Function URL's 200 MB */
  maxResponseBytes: bytes('MAX_RESPONSE_BYTES', 199_000_000, {
    maximum: 199_000_000,
    because: 'Lambda cuts a response at 200 MB, and the rest is for its end',
  }),
  /** The most idle connections that an execution environment keeps; zero turns reuse off. @default - 100 are kept */
  poolMaxConnections: count('POOL_MAX_CONNECTIONS', 100, { minimum: 0 }),
  /** How long an idle connection is kept. @default - 5 min */
  poolMaxIdle: ms('POOL_MAX_IDLE_MS', 300_000),
  /**
   * The age up to which a connection is used for another answer. It is lowered if AgentCore's 60 min would leave less
   * than `maxDuration` for the answer.
   *
   * @default - 55 min
   */
  poolMaxAge: ms('POOL_MAX_AGE_MS', 3_300_000, {
    maximum: 3_599_999,
    because: 'AgentCore ends a connection after 60 min',
  }),
  /** The time between pings on an open connection. @default - every 20 s, below AgentCore's idle limit of 60 s */
  pingInterval: ms('PING_INTERVAL_MS', 20_000, {
    maximum: 59_999,
    because: 'AgentCore drops a connection that is silent for 60 s',
  }),
  /** The longest wait for the pong before an idle connection is reused. @default - 500 ms */
  pongTimeout: ms('PONG_TIMEOUT_MS', 500),
  /** The time between two counts of the running answers. @default - counted every 60 s */
  inFlightInterval: ms('IN_FLIGHT_INTERVAL_MS', 60_000),
  /** The longest wait of a prompt for the session store when everything else is ready. @default - 40 ms */
  sessionStoreWait: ms('SESSION_STORE_WAIT_MS', 40),
  /** How long an answer can be read again, if sessions are kept. @default - 1 h */
  sessionTtl: seconds('SESSION_TTL_SECONDS', 3600, { minimum: 60 }),
};

export type SettingName = keyof typeof SETTINGS;

/** The same settings with the maxima of Lambda. */
export const LAMBDA_SETTINGS = Object.fromEntries(
  Object.entries<Setting>(SETTINGS).map(([name, { onLambda, ...setting }]) => [
    name,
    { ...setting, ...onLambda },
  ]),
) as typeof SETTINGS;

/** The suffix of a number's name in the code, by the number's unit. */
const SUFFIXES = { ms: 'Ms', s: 'Seconds', bytes: '', count: '' } as const;

/** The numbers of a table under their names in the code, such as `connectTimeoutMs` and `maxRetries`. */
export type ValuesOf<Table extends Record<string, Setting>> = {
  [Name in keyof Table & string as `${Name}${(typeof SUFFIXES)[Table[Name]['unit']]}`]: number;
};

export type Settings = ValuesOf<typeof SETTINGS>;

/**
 * Reads every setting of a table from an environment. A variable that is absent or empty has its default.
 *
 * @throws Error naming the variable, the expected value and the given one
 */
export function readSettings<Table extends Record<string, Setting>>(
  table: Table,
  env: Record<string, string | undefined>,
): ValuesOf<Table> {
  const values = Object.entries<Setting>(table).map(([name, { unit, variable, ...rest }]) => {
    const key = `${name}${SUFFIXES[unit]}`;
    const given = env[variable];
    if (given === undefined || given === '') return [key, rest.default];
    // Number() alone would take blanks, exponents and hexadecimal digits, too.
    const value = /^\d{1,10}$/.test(given) ? Number(given) : given;
    checkSetting(variable, { unit, variable, ...rest }, value, given);
    return [key, value];
  });
  return Object.fromEntries(values) as ValuesOf<Table>;
}

/**
 * Checks the value of a setting.
 *
 * @param label the name of the variable or the prop, for the error
 * @param given the value as it was given, for the error
 * @throws Error naming the label, the expected value and the given one
 */
export function checkSetting(label: string, setting: Setting, value: unknown, given: unknown = value): void {
  const { minimum, maximum, unit, because } = setting;
  if (Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum) return;
  const units = { ms: ' milliseconds', s: ' seconds', bytes: ' bytes', count: '' }[unit];
  throw new Error(
    `${label}: expected a whole number from ${minimum} to ${maximum}${units}${because ? ` (${because})` : ''}, got ${JSON.stringify(given)}`,
  );
}
