import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { SETTINGS } from '../../lambda/settings.ts';
import { CONTEXT_KEYS, readContext, unknownKeys } from '../../lib/context.ts';
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

/** Durations as what they are, however they were given. */
function inMs(props: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(props).map(([key, value]) => [
      key,
      value instanceof Duration ? value.toMilliseconds() : value,
    ]),
  );
}
