import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../lambda/config.ts';

const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/OnboardingAgent_Agent-a1B2c3D4e5';
const AGENT = { id: 'onboarding', name: 'OnboardingAgent', runtimeArn: ARN };
const AGENTS = JSON.stringify([AGENT]);

const read = (env: Record<string, string | undefined> = {}) => readConfig({ AGENTS, ...env });

describe('sessions', () => {
  test('are kept in the table that is named, or in memory', () => {
    expect(read({ SESSION_TABLE: 'my.table-1', AWS_REGION: 'eu-west-1' })).toHaveProperty(
      'sessionTable',
      'my.table-1',
    );
    expect(read({ SESSION_TABLE: ':memory:' })).toHaveProperty('sessionTable', ':memory:');
    expect(read({ SESSION_TABLE: '' })).toHaveProperty('sessionTable', undefined);
    expect(() => read({ SESSION_TABLE: 'no table' })).toThrow(
      'SESSION_TABLE: expected the name of a DynamoDB table, or :memory: for the memory of one process, got "no table"',
    );
  });

  test.each([
    [{}, 'https://dynamodb.eu-west-1.amazonaws.com'],
    [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'https://dynamodb-fips.eu-west-1.amazonaws.com'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'https://dynamodb.eu-west-1.api.aws'],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }, 'http://127.0.0.1:4566'],
    [
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000' },
      'http://127.0.0.1:8000',
    ],
  ])('are found in the region of the function, with %j at %s', (env, origin) => {
    const { sessionTableEndpoint } = read({ SESSION_TABLE: 'table', AWS_REGION: 'eu-west-1', ...env });

    expect(sessionTableEndpoint).toEqual({ region: 'eu-west-1', origin: new URL(origin) });
  });

  test.each([
    ['aws', 'eu-west-1'],
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-us-gov', 'us-gov-east-1'],
    ['aws-cn', 'cn-north-1'],
    ['aws-eusc', 'eusc-de-east-1'],
    ['aws-iso', 'us-iso-east-1'],
  ])(
    'are found in %s, %s where the AWS SDK finds DynamoDB, with FIPS and dual stack',
    (partition, region) => {
      const client = new DynamoDBClient({ region });
      const agents = JSON.stringify([
        {
          ...AGENT,
          runtimeArn: `arn:${partition}:bedrock-agentcore:${region}:111122223333:runtime/A-0123456789`,
        },
      ]);
      for (const fips of [false, true]) {
        for (const dualStack of [false, true]) {
          const { sessionTableEndpoint } = read({
            AGENTS: agents,
            SESSION_TABLE: 'table',
            AWS_REGION: region,
            AWS_USE_FIPS_ENDPOINT: String(fips),
            AWS_USE_DUALSTACK_ENDPOINT: String(dualStack),
          });
          const rules = { Region: region, UseFIPS: fips, UseDualStack: dualStack };

          expect(sessionTableEndpoint?.origin).toEqual(client.config.endpointProvider(rules).url);
        }
      }
      client.destroy();
    },
  );

  test.each(['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'])(
    'are not kept at an endpoint of which nobody knows whether it is as %s asks',
    (variable) => {
      const env = { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000', [variable]: 'true' };

      expect(() => read({ SESSION_TABLE: 'table', AWS_REGION: 'eu-west-1', ...env })).toThrow(
        /^AWS_ENDPOINT_URL_DYNAMODB: a custom endpoint cannot be combined/,
      );
    },
  );

  test('need to know the region of their table, and an endpoint that is one', () => {
    expect(() => read({ SESSION_TABLE: 'table' })).toThrow(
      'AWS_REGION: expected the region of the table of sessions, got nothing',
    );
    expect(() =>
      read({ SESSION_TABLE: 'table', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_DYNAMODB: 'localhost:8000' }),
    ).toThrow(
      'AWS_ENDPOINT_URL_DYNAMODB: expected an origin such as https://host:port, got "localhost:8000"',
    );
  });

  test('are bound, told of and warmed as the environment says', () => {
    expect(read({ SESSION_BINDING: 'iam', USER_ID: 'iam', WARM_SESSIONS: 'False' })).toMatchObject({
      sessionBinding: 'iam',
      userId: 'iam',
      warmSessions: false,
    });
    expect(() => read({ SESSION_BINDING: 'cognito' })).toThrow(
      'SESSION_BINDING: expected none or iam, got "cognito"',
    );
    expect(() => read({ USER_ID: 'x' })).toThrow('USER_ID: expected none or iam, got "x"');
    expect(() => read({ WARM_SESSIONS: 'no' })).toThrow('WARM_SESSIONS: expected true or false, got "no"');
  });
});
