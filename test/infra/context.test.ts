import { CONTEXT_KEYS, readContext } from '../../lib/context.ts';
import { runtimeArn } from './support.ts';

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
      auth: 'none',
      stackStatusPrefix: 'demo-',
      alarmEmail: 'oncall@example.com',
      alarmTopicArn: 'arn:aws-us-gov:sns:us-gov-west-1:111122223333:alarms',
    };
    const expected = {
      ...common,
      allowedOrigins: ['https://a.example.com', 'http://localhost:5173'],
      reservedConcurrency: 0,
    };

    const fromText = {
      ...common,
      allowedOrigins: 'https://a.example.com, http://localhost:5173',
      reservedConcurrency: '0',
    };
    const fromJson = { ...common, allowedOrigins: expected.allowedOrigins, reservedConcurrency: 0 };

    expect(readContext({ ...ARNS, ...fromText })).toMatchObject(expected);
    expect(readContext({ ...ARNS, ...fromJson })).toMatchObject(expected);
  });

  test('leaves keys alone that are the CDK’s or somebody else’s', () => {
    const others = {
      '@aws-cdk/aws-iam:minimizePolicies': true,
      'aws:cdk:bundling-stacks': ['**'],
      'availability-zones:account=1:region=us-east-1': [],
      'acknowledged-issue-numbers': [1],
      team: 'blue',
      page: 1,
    };

    expect(readContext({ ...ARNS, ...others })).toEqual(readContext(ARNS));
  });

  test('knows each key as it is written', () => {
    for (const key of CONTEXT_KEYS) {
      expect(() => readContext({ [key]: undefined, ...ARNS })).not.toThrow(/unknown context key/);
    }
  });
});

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
  ['a list and an ARN', { agents: [agent], ...ARNS }, /^agents and onboardingAgentArn are both given/],
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
    /^agent "mwc": .* wrong service: expected "bedrock-agentcore", got "bedrock"$/,
  ],
  [
    'a short account',
    { mwcAgentArn: ARNS.mwcAgentArn.replace('111122223333', '1') },
    /^agent "mwc": .* wrong account: expected 12 digits, got "1"$/,
  ],
  ['an empty ARN', { mwcAgentArn: '' }, /^agent "mwc": "runtimeArn" expected a non-empty string, got ""$/],
  [
    'an ARN that is no text',
    { mwcAgentArn: true },
    /^agent "mwc": "runtimeArn" expected a non-empty string, got true$/,
  ],
  [
    'a wrong transport',
    { ...ARNS, mwcAgentTransport: 'grpc' },
    /^agent "mwc": "transport" expected one of websocket, http, got "grpc"$/,
  ],
  [
    'a wrong qualifier',
    { ...ARNS, mwcAgentQualifier: '1' },
    /^agent "mwc": "qualifier" expected an endpoint name .*, got "1"$/,
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
    /^unknown context key "helpdeskAgentArn": expected one of .*; any other agent comes in the list "agents"$/,
  ],
  ['a wrong auth', { ...ARNS, auth: 'cognito' }, /^auth: expected one of iam, none, got "cognito"$/],
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
    /^reservedConcurrency: expected a whole number from 0, got "ten"$/,
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
