import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { SETTINGS } from '../../lambda/settings.ts';
import { CONTEXT_KEYS, readContext, unknownKeys } from '../../lib/context.ts';
import { runtimeArn, stackOf } from './support.ts';

const ARNS = {
  onboardingAgentArn: runtimeArn('OnboardingAgent'),
  provisioningAgentArn: runtimeArn('ProvisioningAgent'),
  mwcAgentArn: runtimeArn('MWCAgent'),
};

describe('the context', () => {
  test('of three ARNs is three agents, and every other choice a default', () => {
    const { agents, ...rest } = readContext(ARNS);

    expect(agents).toMatchObject([
      { id: 'onboarding', name: 'OnboardingAgent', runtimeArn: ARNS.onboardingAgentArn },
      { id: 'provisioning', name: 'ProvisioningAgent', runtimeArn: ARNS.provisioningAgentArn },
      { id: 'mwc', name: 'MWCAgent', runtimeArn: ARNS.mwcAgentArn },
    ]);
    expect(rest).toEqual({});
  });

  test('of one ARN is one agent, with its qualifier and transport', () => {
    const { mwcAgentArn } = ARNS;

    const { agents } = readContext({ mwcAgentArn, mwcAgentQualifier: 'blue', mwcAgentTransport: 'http' });

    expect(agents).toMatchObject([{ id: 'mwc', qualifier: 'blue', transport: 'http' }]);
  });

  test('takes a list of agents from the command line and from cdk.json alike', () => {
    const list = [{ id: 'helpdesk', name: 'HelpdeskAgent', runtimeArn: runtimeArn('HelpdeskAgent') }];

    expect(readContext({ agents: JSON.stringify(list) }).agents).toEqual(list);
    expect(readContext({ agents: list }).agents).toEqual(list);
  });

  test('takes everything else, as text or as JSON', () => {
    const common = {
      stage: 'prod-eu',
      serviceName: 'helpdesk',
      stackStatusPrefix: 'demo-',
      endpointUrl: 'https://vpce-1.example.com',
      otlpEndpoint: 'https://otel.example.com/tenant',
      alarmEmail: 'oncall@example.com',
      alarmTopicArn: 'arn:aws-us-gov:sns:us-gov-west-1:111122223333:alarms',
      runbookUrl: 'https://wiki.example.com/stream',
      kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0a1b',
      roleArn: 'ssm:/platform/role-arn',
      logGroupName: '/team/streams',
    };
    const expected = {
      ...common,
      authType: 'NONE',
      allowedOrigins: ['https://a.example.com', 'http://localhost:5173'],
      reservedConcurrentExecutions: 0,
      memorySize: 2048,
      handshakeTimeout: Duration.seconds(90),
      maxRetries: 0,
      slowFirstChunk: Duration.seconds(5),
      invokeAgentAction: false,
      logRetention: 30,
      terminationProtection: true,
      tags: { team: 'platform' },
    };

    const fromText = {
      ...common,
      auth: 'none',
      allowedOrigins: 'https://a.example.com, http://localhost:5173',
      reservedConcurrency: '0',
      memorySize: '2048',
      limits: '{"HANDSHAKE_TIMEOUT_MS": 90000, "MAX_RETRIES": 0}',
      slowFirstChunkMs: '5000',
      invokeAgentAction: 'off',
      logRetentionDays: '30',
      terminationProtection: 'on',
      tags: '{"team": "platform"}',
    };
    const fromJson = {
      ...fromText,
      allowedOrigins: expected.allowedOrigins,
      reservedConcurrency: 0,
      memorySize: 2048,
      limits: { HANDSHAKE_TIMEOUT_MS: 90_000, MAX_RETRIES: 0 },
      slowFirstChunkMs: 5000,
      logRetentionDays: 30,
      tags: expected.tags,
    };

    for (const given of [fromText, fromJson]) {
      const { agents: _agents, ...read } = readContext({ ...ARNS, ...given });
      expect(inMs(read)).toEqual(inMs(expected));
    }
  });

  test('takes every limit by the name of its variable', () => {
    for (const { variable, minimum } of Object.values(SETTINGS)) {
      expect(() => readContext({ ...ARNS, limits: { [variable]: minimum } })).not.toThrow();
    }
  });

  test('leaves keys alone that are the CDK’s', () => {
    const others = {
      '@aws-cdk/aws-iam:minimizePolicies': true,
      'aws:cdk:bundling-stacks': ['**'],
      'availability-zones:account=1:region=us-east-1': [],
      'acknowledged-issue-numbers': [1],
      'cli-telemetry': false,
    };

    expect(readContext({ ...ARNS, ...others })).toEqual(readContext(ARNS));
    expect(unknownKeys({ ...ARNS, ...others })).toEqual([]);
  });

  test.each([
    ['origins', 'allowedOrigins'],
    ['mwcArn', 'mwcAgentArn'],
    ['concurrency', 'reservedConcurrency'],
    ['memory', 'memorySize'],
    ['topicArn', 'alarmTopicArn'],
    ['team', undefined],
    ['x', undefined],
  ])('reports the key %s, which it ignores, with the nearest one that is known', (key, near) => {
    expect(unknownKeys({ ...ARNS, [key]: '1' })).toEqual([
      `unknown context key "${key}" is ignored${near ? `: did you mean "${near}"?` : ''}`,
    ]);
    expect(readContext({ ...ARNS, [key]: '1' })).toEqual(readContext(ARNS));
  });

  test('knows each key as it is written', () => {
    for (const key of CONTEXT_KEYS) {
      expect(() => readContext({ [key]: undefined, ...ARNS })).not.toThrow(/unknown context key/);
    }
  });
});

test('takes none for a release without CodeDeploy, as a file may say otherwise', () => {
  expect(readContext({ ...ARNS, deployment: 'none' })).toEqual(readContext(ARNS));
  expect(readContext({ ...ARNS, deployment: 'canary' })).toMatchObject({ deployment: 'canary' });
});

test('describes the three agents as the local ones describe themselves', () => {
  const local = readFileSync(join(import.meta.dirname, '../../local/agents/agents.ts'), 'utf8');

  for (const { description } of readContext(ARNS).agents) expect(local).toContain(`'${description}'`);
});

test('can be recovered from the deployed function, as the runbook says', () => {
  const environmentOf = (context: Record<string, unknown>) => {
    const template = stackOf(readContext(context)).template();
    const [fn] = Object.values(template.findResources('AWS::Lambda::Function'));
    return fn?.Properties.Environment.Variables as Record<string, string>;
  };
  const deployed = environmentOf({
    ...ARNS,
    mwcAgentTransport: 'http',
    stage: 'staging',
    serviceName: 'helpdesk',
    stackStatusPrefix: 'demo-',
    endpointUrl: 'https://vpce-1.example.com',
    limits: { HANDSHAKE_TIMEOUT_MS: 90_000, MAX_RETRIES: 0 },
  });

  const { AGENTS, STAGE, POWERTOOLS_SERVICE_NAME, STACK_STATUS_PREFIX, ...others } = deployed;
  const { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE, ...limits } = others;
  const recovered = environmentOf({
    agents: AGENTS,
    stage: STAGE,
    serviceName: POWERTOOLS_SERVICE_NAME,
    stackStatusPrefix: STACK_STATUS_PREFIX,
    endpointUrl: AWS_ENDPOINT_URL_BEDROCK_AGENTCORE,
    limits: Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, Number(value)])),
  });

  expect(recovered).toEqual(deployed);
});

test('has alarms that say the rest, under the names that the runbook asks for', () => {
  const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
  const prefixes = [...runbook.matchAll(/--alarm-name-prefix "\$STACK-(\w+)-?"/g)].map(([, name]) => name);
  const { template } = stackOf(
    readContext({
      ...ARNS,
      slowFirstChunkMs: 7000,
      alarmEmail: 'a@example.com',
      runbookUrl: 'https://w.example',
    }),
  );
  // CloudFormation names an alarm <stack>-<logical id>-<random>; the composite has a name from here.
  const limits = Object.entries(template().findResources('AWS::CloudWatch::Alarm'))
    .filter(([id]) => id.startsWith(prefixes[0] ?? ''))
    .map(([, { Properties }]) => Number(/ took over (\d+) ms/.exec(Properties.AlarmDescription)?.[1]));
  const [composite] = Object.values(template().findResources('AWS::CloudWatch::CompositeAlarm'));
  const [topic = ''] = Object.keys(template().findResources('AWS::SNS::Topic'));

  expect(prefixes).toEqual(['ObservabilitySlow', 'UsersAreAffected']);
  expect(limits.toSorted((a, b) => a - b)).toEqual([5000, 7000, 7000, 7000, 10_000]);
  expect(composite?.Properties).toMatchObject({
    AlarmName: expect.stringMatching(/^AgentStream-UsersAreAffected-/),
    AlarmActions: [{ Ref: topic }],
    AlarmDescription: expect.stringMatching(/ Runbook: https:\/\/w\.example#users-are-affected$/),
  });
  expect(topic).toMatch(/^AlarmTopic/);
  expect(runbook).toContain('`$STACK-AlarmTopic`');
});

/** Durations as what they are, however they were given. */
function inMs(props: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(props).map(([key, value]) => [
      key,
      value instanceof Duration ? value.toMilliseconds() : value,
    ]),
  );
}

const agent = { id: 'a', name: 'A', runtimeArn: runtimeArn('A') };

test.each<[string, Record<string, unknown>, RegExp]>([
  [
    'nothing',
    {},
    /^no agent is configured: give at least one of onboardingAgentArn, provisioningAgentArn, mwcAgentArn, or agents$/,
  ],
  ['an empty list', { agents: '[]' }, /^agents: expected a non-empty JSON array of agents, got \[\]$/],
  [
    'a list that is not JSON',
    { agents: '[{id: 1}]' },
    /^agents: expected a JSON array of agents, got "\[\{id: 1\}\]"$/,
  ],
  [
    'a list and an ARN',
    { agents: [agent], ...ARNS },
    /^agents and onboardingAgentArn are both given: use one or the other$/,
  ],
  ['an agent twice', { agents: [agent, { ...agent, name: 'B' }] }, /^agents: duplicate agent id "a"/],
  [
    'an unknown key of an agent',
    { agents: [{ ...agent, arn: 'x' }] },
    /^agents: agent "a": unknown key "arn", expected one of id, name/,
  ],
  [
    'an agent without ARN',
    { agents: [{ id: 'a', name: 'A' }] },
    /^agents: agent "a": "runtimeArn" is missing$/,
  ],
  [
    'an ARN of another service',
    { mwcAgentArn: 'arn:aws:bedrock:us-east-1:111122223333:agent/X' },
    /^mwcAgentArn: .* wrong service: expected "bedrock-agentcore", got "bedrock"$/,
  ],
  [
    'a short account',
    { mwcAgentArn: ARNS.mwcAgentArn.replace('111122223333', '1') },
    /^mwcAgentArn: .* wrong account: expected 12 digits, got "1"$/,
  ],
  [
    'an empty ARN, as of a variable that is not set',
    { mwcAgentArn: '' },
    /^mwcAgentArn: expected a runtime ARN such as arn:aws:bedrock-agentcore:\S+:runtime\/MWCAgent-\w+, got ""$/,
  ],
  ['an ARN that is no text', { mwcAgentArn: true }, /^mwcAgentArn: expected a non-empty string, got true$/],
  [
    'a wrong transport',
    { ...ARNS, mwcAgentTransport: 'grpc' },
    /^mwcAgentTransport: expected one of websocket, http, got "grpc"$/,
  ],
  [
    'a wrong qualifier',
    { ...ARNS, mwcAgentQualifier: '1' },
    /^mwcAgentQualifier: expected an endpoint name .*, got "1"$/,
  ],
  [
    'a qualifier without ARN',
    { mwcAgentQualifier: 'blue' },
    /^mwcAgentQualifier is given without mwcAgentArn/,
  ],
  [
    'a misspelled key',
    { onboardingAgentArm: 'x' },
    /^unknown context key "onboardingAgentArm": did you mean "onboardingAgentArn"\?$/,
  ],
  ['another case', { ...ARNS, 'reserved-concurrency': '1' }, /did you mean "reservedConcurrency"\?$/],
  ['a missing letter', { ...ARNS, alowedOrigin: '*' }, /did you mean "allowedOrigins"\?$/],
  ['a short key', { ...ARNS, agent: '[]' }, /did you mean "agents"\?$/],
  [
    'an agent without a key of its own',
    { helpdeskAgentArn: agent.runtimeArn },
    /^unknown context key "helpdeskAgentArn": expected one of .*; for other agents use the list "agents" alone$/,
  ],
  ['a wrong auth', { ...ARNS, auth: 'cognito' }, /^auth: expected one of iam, none, got "cognito"$/],
  [
    'public access without origins',
    { ...ARNS, auth: 'none', reservedConcurrency: '1' },
    /^auth=none needs allowedOrigins: /,
  ],
  [
    'public access without a limit',
    { ...ARNS, auth: 'none', allowedOrigins: '*' },
    /^auth=none needs reservedConcurrency: /,
  ],
  ['another case of a key', { ...ARNS, runbookURL: 'x' }, /did you mean "runbookUrl"\?$/],
  [
    'too little memory',
    { ...ARNS, memorySize: '64' },
    /^memorySize: expected .* from 128 to 10240 \(MiB\), got 64$/,
  ],
  [
    'memory that is no number',
    { ...ARNS, memorySize: '1GB' },
    /^memorySize: expected a whole number from 128 to 10240 \(MiB\), got "1GB"$/,
  ],
  [
    'a limit as a key of its own',
    { ...ARNS, HANDSHAKE_TIMEOUT_MS: '90000' },
    /^HANDSHAKE_TIMEOUT_MS is a limit: write -c limits='\{"HANDSHAKE_TIMEOUT_MS":90000\}'$/,
  ],
  [
    'limits that are no JSON',
    { ...ARNS, limits: 'HANDSHAKE_TIMEOUT_MS=1' },
    /^limits: expected a JSON object of limits such as .*, got "HANDSHAKE_TIMEOUT_MS=1"$/,
  ],
  ['limits that are a list', { ...ARNS, limits: '[1]' }, /^limits: expected a JSON object .*, got "\[1\]"$/],
  [
    'a misspelled limit',
    { ...ARNS, limits: { HANDSHAKE_TIMEOUT: 1 } },
    /^limits: unknown limit "HANDSHAKE_TIMEOUT": did you mean "HANDSHAKE_TIMEOUT_MS"\?$/,
  ],
  [
    'a limit of something else',
    { ...ARNS, limits: { WATER: 1 } },
    /^limits: unknown limit "WATER": expected one of CONNECT_TIMEOUT_MS, /,
  ],
  [
    'a limit out of range',
    { ...ARNS, limits: { PING_INTERVAL_MS: 60_000 } },
    /^limits: PING_INTERVAL_MS: expected a whole number from 1 to 59999 milliseconds .*, got 60000$/,
  ],
  [
    'a limit that is text',
    { ...ARNS, limits: { MAX_RETRIES: '1' } },
    /^limits: MAX_RETRIES: expected .*, got "1"$/,
  ],
  ['a wrong endpoint', { ...ARNS, endpointUrl: 'host' }, /^endpointUrl: expected an origin .*, got "host"$/],
  ['a wrong runbook', { ...ARNS, runbookUrl: 'docs' }, /^runbookUrl: expected an https address/],
  ['a wrong service name', { ...ARNS, serviceName: '"' }, /^serviceName: expected 1 to 128 letters/],
  [
    'a first chunk that is slow at once',
    { ...ARNS, slowFirstChunkMs: '0' },
    /^slowFirstChunkMs: expected a whole number of at least 1, got 0$/,
  ],
  [
    'a key that is none',
    { ...ARNS, kmsKeyArn: 'alias/a' },
    /^kmsKeyArn: expected arn:<partition>:kms:.*, or ssm:<parameter name>, got "alias\/a"$/,
  ],
  [
    'a parameter without a name',
    { ...ARNS, roleArn: 'ssm:' },
    /^roleArn: expected ssm:<parameter name> .*, got "ssm:"$/,
  ],
  [
    'an agent’s parameter without a name',
    { agents: [{ ...agent, runtimeArn: 'ssm:a b' }] },
    /^agents: agent "a": expected ssm:<parameter name> .*, got "ssm:a b"$/,
  ],
  [
    'a log group by its ARN',
    { ...ARNS, logGroupName: 'arn:aws:logs:x:1:log-group:a' },
    /^logGroupName: expected the name of a log group, without its ARN, got/,
  ],
  [
    'a period that CloudWatch does not know',
    { ...ARNS, logRetentionDays: '15' },
    /^logRetentionDays: expected one of 1, 3, 5, .*, 9999 \(9999: for ever\), got "15"$/,
  ],
  [
    'tags that are a list',
    { ...ARNS, tags: '["a"]' },
    /^tags: expected a JSON object of texts such as .*, got "\["a"\]"$|^tags: expected a JSON object of texts/,
  ],
  [
    'a tag that is a number',
    { ...ARNS, tags: { a: 1 } },
    /^tags: expected a JSON object of texts .*, got \{"a":1\}$/,
  ],
  [
    'a switch that is neither on nor off',
    { ...ARNS, invokeAgentAction: 'false' },
    /^invokeAgentAction: expected one of on, off, got "false"$/,
  ],
  [
    'a release of another kind',
    { ...ARNS, deployment: 'blue' },
    /^deployment: expected one of none, all-at-once, canary, linear, got "blue"$/,
  ],
  ['a wrong stage', { ...ARNS, stage: 'My Stage' }, /^stage: expected lower-case letters.*, got "My Stage"$/],
  [
    'a wrong origin',
    { ...ARNS, allowedOrigins: 'https://a.example.com,b' },
    /^allowedOrigins: expected .*, got "b"$/,
  ],
  [
    'origins that are no list',
    { ...ARNS, allowedOrigins: 1 },
    /^allowedOrigins: expected a comma-separated list .*, got 1$/,
  ],
  [
    'concurrency that is no number',
    { ...ARNS, reservedConcurrency: 'ten' },
    /^reservedConcurrency: expected a whole number of at least 0, got "ten"$/,
  ],
  ['negative concurrency', { ...ARNS, reservedConcurrency: -1 }, /^reservedConcurrency: .*, got -1$/],
  ['a wrong stack prefix', { ...ARNS, stackStatusPrefix: '-' }, /^stackStatusPrefix: expected .*, got "-"$/],
  ['an empty stack prefix', { ...ARNS, stackStatusPrefix: '' }, /^stackStatusPrefix: expected .*, got ""$/],
  [
    'a wrong e-mail address',
    { ...ARNS, alarmEmail: 'oncall' },
    /^alarmEmail: expected an e-mail address, got "oncall"$/,
  ],
  [
    'a wrong topic',
    { ...ARNS, alarmTopicArn: 'alarms' },
    /^alarmTopicArn: expected arn:<partition>:sns:.*, got "alarms"$/,
  ],
])('a context with %s is refused', (_what, context, message) => {
  expect(() => readContext(context)).toThrow(message);
});
