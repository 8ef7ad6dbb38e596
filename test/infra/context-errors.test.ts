import { readContext } from '../../lib/context.ts';
import { runtimeArn } from './support.ts';

const ARNS = {
  onboardingAgentArn: runtimeArn('OnboardingAgent'),
  provisioningAgentArn: runtimeArn('ProvisioningAgent'),
  mwcAgentArn: runtimeArn('MWCAgent'),
};

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
