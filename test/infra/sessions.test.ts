import { describe, expect, test } from '@jest/globals';
import { RemovalPolicy } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { readContext } from '../../lib/context.ts';
import { AGENT, functionIn, stackOf, statements } from './support.ts';

const PUBLIC = {
  authType: FunctionUrlAuthType.NONE,
  allowedOrigins: ['https://app.example.com'],
  reservedConcurrentExecutions: 5,
};
const environmentOf = (template: ReturnType<ReturnType<typeof functionIn>['template']>) =>
  Object.values(template.findResources('AWS::Lambda::Function'))[0]?.Properties.Environment.Variables;

describe('a table of sessions', () => {
  test('is made on demand, expires what is in it, and the function may do four things with it', () => {
    const template = functionIn({ sessions: 'dynamodb' }).template();

    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Delete',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        TableName: Match.absent(),
      },
    });
    const [table] = Object.keys(template.findResources('AWS::DynamoDB::Table'));
    expect(environmentOf(template)).toMatchObject({ SESSION_TABLE: { Ref: table } });
    expect(statements(template)).toContainEqual({
      Effect: 'Allow',
      Action: ['dynamodb:BatchWriteItem', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      Resource: { 'Fn::GetAtt': [table, 'Arn'] },
    });
  });

  test('is none unless it is asked for', () => {
    const template = functionIn().template();

    template.resourceCountIs('AWS::DynamoDB::Table', 0);
    expect(environmentOf(template)).not.toHaveProperty('SESSION_TABLE');
    expect(JSON.stringify(statements(template))).not.toContain('dynamodb');
  });

  test.each([
    ['dev', 'Delete'],
    ['prod', 'Retain'],
  ])('of the stage %s is removed with the stack: %s', (stage, DeletionPolicy) => {
    stackOf({ sessions: 'dynamodb', stage })
      .template()
      .hasResource('AWS::DynamoDB::Table', { DeletionPolicy });
  });

  test('is that of the account where one is given, and is not made', () => {
    const first = functionIn({ sessions: 'dynamodb', sessionRemovalPolicy: RemovalPolicy.RETAIN });
    const table = first.subject.sessionTable;

    expect(() => functionIn({ sessions: 'dynamodb', ...(table && { sessionTable: table }) })).toThrow(
      'sessions and sessionTable are two tables: give one of them',
    );
  });
});

describe('an identity', () => {
  test.each(['sessionBinding', 'userId'] as const)('is asked for by %s, and told to the function', (name) => {
    const variable = { sessionBinding: 'SESSION_BINDING', userId: 'USER_ID' }[name];

    expect(environmentOf(functionIn({ [name]: 'iam' }).template())).toMatchObject({ [variable]: 'iam' });
    expect(environmentOf(functionIn({ [name]: 'none' }).template())).not.toHaveProperty(variable);
  });

  test.each(['sessionBinding', 'userId'] as const)('cannot be had for %s where nobody signs', (name) => {
    expect(() => functionIn({ ...PUBLIC, [name]: 'iam' })).toThrow(
      `${name}: expected none with authType NONE, whose callers have no identity, got iam`,
    );
  });

  test.each(['sessionBinding', 'userId'] as const)('cannot be had for %s behind CloudFront', (name) => {
    const deployment = { distribution: true, reservedConcurrentExecutions: 5, [name]: 'iam' };

    expect(() => stackOf(deployment)).toThrow(`${name}: expected none with distribution=on`);
  });

  test.each([
    ['websocket', 'InvokeAgentRuntimeWithWebSocketStreamForUser'],
    ['http', 'InvokeAgentRuntimeForUser'],
  ] as const)('that an agent over %s is told needs a right of its own', (transport, action) => {
    const agents = [{ ...AGENT, transport }];

    const [told, untold] = (['iam', 'none'] as const).map((userId) =>
      JSON.stringify(statements(functionIn({ agents, userId }).template())),
    );

    expect(told).toContain(`bedrock-agentcore:${action}`);
    expect(untold).not.toContain('ForUser');
  });
});

describe('starting a session before its first prompt', () => {
  test.each([
    ['those who sign', {}, undefined],
    ['those who sign, where it is switched off', { warmSessions: false }, 'false'],
    ['nobody, where everybody may call', PUBLIC, 'false'],
    ['everybody, where that is asked for', { ...PUBLIC, warmSessions: true }, undefined],
  ])('is for %s', (_who, props, told) => {
    expect(environmentOf(functionIn(props).template()).WARM_SESSIONS).toBe(told);
  });
});

test('the context has a key for each of these', () => {
  const deployment = readContext({
    onboardingAgentArn: AGENT.runtimeArn,
    sessions: 'dynamodb',
    sessionBinding: 'iam',
    userId: 'iam',
    warmSessions: 'off',
  });

  expect(deployment).toMatchObject({
    sessions: 'dynamodb',
    sessionBinding: 'iam',
    userId: 'iam',
    warmSessions: false,
  });
});
