import { describe, expect, test } from '@jest/globals';
import { type Config, readConfig } from '../../lambda/config.ts';
import { ENV, SERVICE_NAME } from '../../lambda/contract.ts';
import { SETTINGS, type Setting } from '../../lambda/settings.ts';

const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/OnboardingAgent_Agent-a1B2c3D4e5';
const AGENT = { id: 'onboarding', name: 'OnboardingAgent', runtimeArn: ARN };
const AGENTS = JSON.stringify([AGENT]);
const ENDPOINT = 'AWS_ENDPOINT_URL_BEDROCK_AGENTCORE';

const read = (env: Record<string, string | undefined> = {}) => readConfig({ AGENTS, ...env });

const LARGEST = 2 ** 31 - 1;

/** The contract's table: variable, name here, default, smallest and, where it is not what timers can, largest value. */
const NUMBERS: [
  variable: string,
  key: keyof Config,
  defaultValue: number,
  minimum: number,
  maximum?: number,
][] = [
  ['CONNECT_TIMEOUT_MS', 'connectTimeoutMs', 5000, 1],
  ['HANDSHAKE_TIMEOUT_MS', 'handshakeTimeoutMs', 60_000, 1],
  ['FIRST_CHUNK_TIMEOUT_MS', 'firstChunkTimeoutMs', 300_000, 1],
  ['IDLE_TIMEOUT_MS', 'idleTimeoutMs', 300_000, 1],
  ['MAX_DURATION_MS', 'maxDurationMs', 900_000, 1, 900_000],
  ['DEADLINE_RESERVE_MS', 'deadlineReserveMs', 3000, 0],
  ['COMMIT_AFTER_MS', 'commitAfterMs', 25_000, 0],
  ['HEARTBEAT_INTERVAL_MS', 'heartbeatIntervalMs', 15_000, 1],
  ['MAX_RETRIES', 'maxRetries', 4, 0],
  ['RETRY_BASE_MS', 'retryBaseMs', 500, 1],
  ['RETRY_MAX_MS', 'retryMaxMs', 8000, 1],
  ['MAX_PROMPT_BYTES', 'maxPromptBytes', 1_048_576, 1],
  ['MAX_MESSAGE_BYTES', 'maxMessageBytes', 1_048_576, 1],
  ['MAX_RESPONSE_BYTES', 'maxResponseBytes', 199_000_000, 1, 199_000_000],
  ['POOL_MAX_CONNECTIONS', 'poolMaxConnections', 100, 0],
  ['POOL_MAX_IDLE_MS', 'poolMaxIdleMs', 300_000, 1],
  ['POOL_MAX_AGE_MS', 'poolMaxAgeMs', 3_300_000, 1, 3_599_999],
  ['PING_INTERVAL_MS', 'pingIntervalMs', 20_000, 1, 59_999],
  ['PONG_TIMEOUT_MS', 'pongTimeoutMs', 500, 1],
  ['IN_FLIGHT_INTERVAL_MS', 'inFlightIntervalMs', 60_000, 1],
  ['SESSION_STORE_WAIT_MS', 'sessionStoreWaitMs', 40, 1],
  ['SESSION_TTL_SECONDS', 'sessionTtlSeconds', 3600, 60],
];

const SESSIONS = ['SESSION_TABLE', 'SESSION_BINDING', 'USER_ID', 'WARM_SESSIONS'];

describe('MAX_DURATION_MS in a container', () => {
  const inContainer = (value: string) => readConfig({ AGENTS, MAX_DURATION_MS: value }, SETTINGS);

  test('may be as long as AgentCore keeps a connection', () => {
    expect(inContainer('3600000').maxDurationMs).toBe(3_600_000);
    expect(() => inContainer('3600001')).toThrow(
      'MAX_DURATION_MS: expected a whole number from 1 to 3600000 milliseconds (AgentCore ends a connection after 60 min), got "3600001"',
    );
  });

  test('is the only limit that differs from those on Lambda', () => {
    const different = Object.entries<Setting>(SETTINGS).filter(([, { onLambda }]) => onLambda !== undefined);

    expect(different.map(([name]) => name)).toEqual(['maxDuration']);
    expect(() => read({ MAX_DURATION_MS: '900001' })).toThrow(
      'MAX_DURATION_MS: expected a whole number from 1 to 900000 milliseconds (Lambda ends an invocation after 15 min), got "900001"',
    );
  });
});

describe('the defaults', () => {
  test("are those of the contract's table", () => {
    const config = read();

    for (const [, key, defaultValue] of NUMBERS) expect(config).toHaveProperty(key, defaultValue);
    expect(config).toMatchObject({
      stage: 'dev',
      stackStatusPrefix: undefined,
      credentials: undefined,
      sessionTable: undefined,
      sessionTableEndpoint: undefined,
      sessionBinding: 'none',
      userId: 'none',
      warmSessions: true,
    });
  });

  test('the table has every variable that the function reads', () => {
    const others = [
      'AGENTS',
      'STAGE',
      'POWERTOOLS_SERVICE_NAME',
      ENDPOINT,
      'STACK_STATUS_PREFIX',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      ...SESSIONS,
    ];

    expect(NUMBERS.map(([variable]) => variable).sort()).toEqual(
      Object.values(SETTINGS)
        .map(({ variable }) => variable)
        .sort(),
    );
    expect(others.sort()).toEqual(Object.values(ENV).sort());
  });

  test('nobody changes the configuration later', () => {
    expect(Object.isFrozen(read())).toBe(true);
  });
});

describe.each(NUMBERS)('%s', (variable, key, defaultValue, minimum, maximum = LARGEST) => {
  test('is read', () => {
    expect(read({ [variable]: '1234' })).toHaveProperty(key, 1234);
    expect(read({ [variable]: String(minimum) })).toHaveProperty(key, minimum);
    expect(read({ [variable]: String(maximum) })).toHaveProperty(key, maximum);
  });

  test('is the default when it is empty', () => {
    expect(read({ [variable]: '' })).toHaveProperty(key, defaultValue);
  });

  test.each([
    ...(minimum > 0 ? [String(minimum - 1)] : []),
    '-1',
    '1.5',
    '1e3',
    '0x10',
    ' 5',
    '5 ',
    '5000ms',
    '5,000',
    'abc',
    'NaN',
    'Infinity',
    '٥',
    String(maximum + 1),
    '99999999999999999999',
  ])('of %j fails the start with its name, what was expected and what came', (came) => {
    const message = new RegExp(`^${variable}: expected a whole number from ${minimum} to ${maximum}.*, got `);

    expect(() => read({ [variable]: came })).toThrow(message);
    expect(() => read({ [variable]: came })).toThrow(JSON.stringify(came));
  });
});

describe('AGENTS', () => {
  test('becomes agents with what follows from their ARN', () => {
    const [agent] = read().agents;

    expect(agent?.entry).toMatchObject({ ...AGENT, qualifier: 'DEFAULT', transport: 'websocket' });
    expect(agent?.arn).toMatchObject({ region: 'us-east-1', account: '123456789012' });
    expect(agent?.origin.href).toBe('https://bedrock-agentcore.us-east-1.amazonaws.com/');
  });

  test('each agent is reached in the region of its own ARN', () => {
    const european = { id: 'eu', name: 'Eu', runtimeArn: ARN.replace('us-east-1', 'eu-central-1') };

    const config = read({ AGENTS: JSON.stringify([AGENT, european]), AWS_REGION: 'ap-south-1' });

    expect(config.agents.map(({ origin }) => origin.host)).toEqual([
      'bedrock-agentcore.us-east-1.amazonaws.com',
      'bedrock-agentcore.eu-central-1.amazonaws.com',
    ]);
  });

  test.each<[string, string | undefined, RegExp]>([
    ['absent', undefined, /expected a non-empty JSON array.*got (null|undefined|nothing)/],
    ['empty', '', /expected .*JSON.*got (""|nothing)/],
    ['no JSON', 'onboarding', /expected .*JSON.*got "onboarding"/],
    ['JSON broken off', '[{"id":"a"', /expected .*JSON.*got /],
    ['an object', '{}', /expected a non-empty JSON array of agents, got {}/],
    ['an empty list', '[]', /expected a non-empty JSON array of agents, got \[\]/],
    ['an entry without a name', '[{"id":"a","runtimeArn":"x"}]', /agent "a": "name" is missing/],
    [
      'a malformed ARN',
      JSON.stringify([{ ...AGENT, runtimeArn: 'x' }]),
      /agent "onboarding": not a runtime ARN: expected .*got "x"/,
    ],
    [
      'a key that nobody knows',
      JSON.stringify([{ ...AGENT, framming: 'x' }]),
      /unknown key "framming", expected one of/,
    ],
    [
      'an agent of an unknown partition',
      JSON.stringify([{ ...AGENT, runtimeArn: ARN.replace('arn:aws:', 'arn:aws-new:') }]),
      /"aws-new": expected one of aws/,
    ],
  ])('that is %s fails the start with name, what was expected and what came', (_what, came, message) => {
    const start = () => readConfig({ ...(came !== undefined && { AGENTS: came }) });

    expect(start).toThrow(/^AGENTS: /);
    expect(start).toThrow(message);
  });
});

describe('the endpoint', () => {
  const originOf = (env: Record<string, string>) => read(env).agents[0]?.origin.href;

  test.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
    [
      'https://vpce-1.bedrock-agentcore.us-east-1.vpce.amazonaws.com',
      'https://vpce-1.bedrock-agentcore.us-east-1.vpce.amazonaws.com/',
    ],
    ['', 'https://bedrock-agentcore.us-east-1.amazonaws.com/'],
  ])(`${ENDPOINT} of %j gives %s`, (came, href) => {
    expect(originOf({ [ENDPOINT]: came })).toBe(href);
  });

  test.each([
    'localhost:8080',
    '127.0.0.1',
    'ws://127.0.0.1:8080',
    'wss://example.com',
    'ftp://example.com',
    'file:///etc/passwd',
    'https://example.com/path',
    'https://example.com/?x=1',
    'https://user:password@example.com',
    'https://:password@example.com',
    'https://',
    'not a url',
  ])(`${ENDPOINT} of %j fails the start with its name, what was expected and what came`, (came) => {
    const start = () => read({ [ENDPOINT]: came });

    expect(start).toThrow(new RegExp(`^${ENDPOINT}: expected an origin`));
    expect(start).toThrow(JSON.stringify(came));
  });

  test.each([
    [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'https://bedrock-agentcore-fips.us-east-1.amazonaws.com/'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'https://bedrock-agentcore.us-east-1.api.aws/'],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      'https://bedrock-agentcore-fips.us-east-1.api.aws/',
    ],
    [
      { AWS_USE_FIPS_ENDPOINT: 'false', AWS_USE_DUALSTACK_ENDPOINT: 'false' },
      'https://bedrock-agentcore.us-east-1.amazonaws.com/',
    ],
    [{ AWS_USE_FIPS_ENDPOINT: '' }, 'https://bedrock-agentcore.us-east-1.amazonaws.com/'],
  ])('%j gives %s', (env, href) => {
    expect(originOf(env)).toBe(href);
  });

  test.each(['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'])(
    '%s is true or false, as in the AWS SDKs; anything else fails the start',
    (variable) => {
      for (const came of ['yes', '1', 'on', 'treu']) {
        expect(() => read({ [variable]: came })).toThrow(
          new RegExp(`^${variable}: expected .*true.*false.*"${came}"`),
        );
      }
    },
  );

  test.each(['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'])(
    `%s cannot be combined with ${ENDPOINT}, which is named`,
    (variable) => {
      expect(() => read({ [variable]: 'true', [ENDPOINT]: 'http://127.0.0.1:8080' })).toThrow(
        new RegExp(`${ENDPOINT}.*cannot be combined`),
      );
    },
  );
});

describe('credentials', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };

  test('are what Lambda gives', () => {
    expect(read({ ...keys, AWS_SESSION_TOKEN: 'token' }).credentials).toEqual({
      accessKeyId: 'AKID',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    });
    expect(read(keys).credentials).toEqual({ accessKeyId: 'AKID', secretAccessKey: 'secret' });
  });

  test.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])('without %s are left to the SDK', (name) => {
    expect(read({ ...keys, [name]: undefined }).credentials).toBeUndefined();
    expect(read({ ...keys, [name]: '' }).credentials).toBeUndefined();
  });
});

describe('STACK_STATUS_PREFIX', () => {
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['my-', 'my-'],
    ['*', ''],
  ])('%j means the prefix %j', (came, prefix) => {
    expect(read({ STACK_STATUS_PREFIX: came }).stackStatusPrefix).toBe(prefix);
  });
});

test.each([
  [undefined, true],
  ['true', true],
  ['false', false],
  ['FALSE', false],
])('POWERTOOLS_TRACE_ENABLED of %j means tracing: %s', (came, tracing) => {
  expect(read({ POWERTOOLS_TRACE_ENABLED: came }).tracing).toBe(tracing);
});

test('STAGE is the stage', () => {
  expect(read({ STAGE: 'prod' }).stage).toBe('prod');
});

test('POWERTOOLS_SERVICE_NAME is the name in logs, metrics and traces, whatever the stage', () => {
  expect(read({ POWERTOOLS_SERVICE_NAME: 'mine', STAGE: 'prod' }).serviceName).toBe('mine');
  expect(read({ STAGE: 'prod' }).serviceName).toBe(SERVICE_NAME);
});

describe('the collector of traces', () => {
  const BASE = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const OF_TRACES = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';

  test.each([
    [{}, undefined],
    [{ [BASE]: '' }, undefined],
    [{ [BASE]: 'http://collector:4318' }, 'http://collector:4318/v1/traces'],
    [{ [BASE]: 'https://otel.example.com/tenant/' }, 'https://otel.example.com/tenant/v1/traces'],
    [
      { [BASE]: 'http://other', [OF_TRACES]: 'https://otel.example.com/here' },
      'https://otel.example.com/here',
    ],
  ])('of %j is at %p', (env, url) => {
    expect(read(env).otlp?.url).toBe(url);
  });

  test('has the headers and the limit that are given, and a second without', () => {
    const env = { [BASE]: 'http://collector:4318' };

    expect(read(env).otlp).toMatchObject({ headers: {}, timeoutMs: 1000 });
    expect(
      read({
        ...env,
        OTEL_EXPORTER_OTLP_HEADERS: 'X-Key = a%20b , other=c=d',
        OTEL_EXPORTER_OTLP_TIMEOUT: '250',
      }).otlp,
    ).toMatchObject({ headers: { 'x-key': 'a b', other: 'c=d' }, timeoutMs: 250 });
  });

  test.each([
    [
      { [BASE]: 'collector:4318' },
      `${BASE}: expected an address such as https://host:4318, got "collector:4318"`,
    ],
    [
      { [OF_TRACES]: 'grpc://host' },
      `${OF_TRACES}: expected an address such as https://host:4318, got "grpc://host"`,
    ],
    [
      { [BASE]: 'http://c', OTEL_EXPORTER_OTLP_TIMEOUT: '1s' },
      'OTEL_EXPORTER_OTLP_TIMEOUT: expected milliseconds from 1 to 99999, got "1s"',
    ],
    [
      { [BASE]: 'http://c', OTEL_EXPORTER_OTLP_HEADERS: 'secret' },
      'OTEL_EXPORTER_OTLP_HEADERS: expected name=value, separated by commas',
    ],
    [
      { [BASE]: 'http://c', OTEL_EXPORTER_OTLP_HEADERS: 'a=%zz' },
      'OTEL_EXPORTER_OTLP_HEADERS: expected name=value, separated by commas',
    ],
  ])('that is wrong in %j is refused by name', (env, message) => {
    expect(() => read(env)).toThrow(message);
  });
});
