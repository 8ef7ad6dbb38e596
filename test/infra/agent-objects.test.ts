import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CfnAgent } from 'aws-cdk-lib/aws-bedrock';
import {
  AgentRuntimeArtifact,
  CfnRuntime,
  ProtocolType,
  Runtime,
  RuntimeAuthorizerConfiguration,
  RuntimeEndpoint,
} from 'aws-cdk-lib/aws-bedrockagentcore';
import type { AgentProps } from '../../lib/agent-props.ts';
import { AGENT, functionIn, ourApp, runtimeArn, statements } from './support.ts';

const IMAGE = AgentRuntimeArtifact.fromImageUri('111122223333.dkr.ecr.us-east-1.amazonaws.com/agent:1');
const NAMES = { id: 'helpdesk', name: 'HelpdeskAgent' };

function inStack() {
  const stack = new Stack(ourApp(), 'Test');
  const runtime = new Runtime(stack, 'Runtime', { runtimeName: 'helpdesk', agentRuntimeArtifact: IMAGE });
  return { stack, runtime };
}

/** What the function is told of its agents, and what its role may invoke. */
function deployed(agents: readonly AgentProps[], stack: Stack) {
  const { template } = functionIn({ agents }, stack);
  const [fn] = Object.values(template().findResources('AWS::Lambda::Function'));
  const invoke = statements(template()).find(({ Action }) => JSON.stringify(Action).includes('InvokeAgent'));
  return { told: fn?.Properties.Environment.Variables.AGENTS, allowed: invoke?.Resource };
}

test('an agent is the runtime that the same app makes', () => {
  const { stack, runtime } = inStack();

  const { told, allowed } = deployed([{ ...NAMES, runtime }], stack);

  const arn = { 'Fn::GetAtt': [expect.stringMatching(/^Runtime/), 'AgentRuntimeArn'] };
  expect(told).toEqual({
    'Fn::Join': ['', ['[{"id":"helpdesk","name":"HelpdeskAgent","runtimeArn":"', arn, '"}]']],
  });
  expect(allowed).toEqual([arn, { 'Fn::Join': ['', [arn, '/runtime-endpoint/DEFAULT']] }]);
});

test('an endpoint of it is given as what it is, or by its name, and exists before the function does', () => {
  const { stack, runtime } = inStack();
  const endpoint = runtime.addEndpoint('blue');

  const { told, allowed } = deployed([{ ...NAMES, runtime, endpoint }], stack);

  expect(JSON.stringify(told)).toContain('\\"qualifier\\":\\"blue\\"');
  expect(JSON.stringify(allowed)).toContain('/runtime-endpoint/blue');
  expect(stack.node.findChild('Stream').node.dependencies).toContain(endpoint);
});

test('an endpoint that exists already is given by its name', () => {
  const { stack, runtime } = inStack();

  const { told } = deployed([{ ...NAMES, runtime, endpoint: 'blue' }], stack);

  expect(JSON.stringify(told)).toContain('\\"qualifier\\":\\"blue\\"');
});

test.each<[string, (stack: Stack) => AgentProps['runtime']]>([
  [
    'imported',
    (stack) =>
      Runtime.fromAgentRuntimeAttributes(stack, 'Imported', {
        agentRuntimeArn: runtimeArn('Imported'),
        agentRuntimeId: 'Imported-a1B2c3D4e5',
        agentRuntimeName: 'Imported',
        roleArn: 'arn:aws:iam::111122223333:role/agent',
        agentRuntimeVersion: '1',
      }),
  ],
  [
    'a CfnRuntime',
    (stack) =>
      new CfnRuntime(stack, 'L1', {
        agentRuntimeName: 'l1',
        roleArn: 'arn:aws:iam::111122223333:role/agent',
        networkConfiguration: { networkMode: 'PUBLIC' },
        agentRuntimeArtifact: { containerConfiguration: { containerUri: 'x/y:1' } },
      }),
  ],
])('a runtime may be %s', (_what, make) => {
  const stack = new Stack(ourApp(), 'Test');
  const runtime = make(stack);

  const { allowed } = deployed([{ ...NAMES, runtime } as AgentProps], stack);

  expect(JSON.stringify(allowed)).toMatch(/Imported-a1B2c3D4e5|AgentRuntimeArn/);
});

test('an agent may be the SSM parameter that holds the ARN of its runtime', () => {
  const stack = new Stack(ourApp(), 'Test');

  const { told, allowed } = deployed([{ ...NAMES, runtimeArn: 'ssm:/agents/helpdesk' }, AGENT], stack);

  const [parameter] = Object.keys(
    Template.fromStack(stack).findParameters('*', {
      Type: 'AWS::SSM::Parameter::Value<String>',
      Default: '/agents/helpdesk',
    }),
  );
  expect(JSON.stringify(told)).toContain(`{"Ref":"${parameter}"}`);
  expect(JSON.stringify(allowed)).toContain(`{"Ref":"${parameter}"}`);
});

test.each<[string, (made: ReturnType<typeof inStack>) => object, RegExp]>([
  [
    'a text as runtime',
    () => ({ runtime: runtimeArn('X') }),
    /^agent "helpdesk": "runtime" expected a Runtime or CfnRuntime of aws-cdk-lib\/aws-bedrockagentcore, got "arn:.*": an ARN is given as "runtimeArn"$/,
  ],
  [
    'an agent of Bedrock itself',
    ({ stack }) => ({ runtime: new CfnAgent(stack, 'Classic', { agentName: 'classic' }) }),
    /^agent "helpdesk": "runtime" expected a Runtime or CfnRuntime .*, got a CfnAgent$/,
  ],
  [
    'nothing as runtime',
    () => ({ runtime: null }),
    /"runtime" expected a Runtime or CfnRuntime .*, got null$/,
  ],
  [
    'a runtime and an ARN',
    ({ runtime }) => ({ runtime, runtimeArn: runtimeArn('X') }),
    /^agent "helpdesk": "runtime" and "runtimeArn" are both given: use one or the other$/,
  ],
  [
    'a runtime and a qualifier',
    ({ runtime }) => ({ runtime, qualifier: 'blue' }),
    /^agent "helpdesk": "runtime" and "qualifier" are both given: write "endpoint"$/,
  ],
  [
    'an ARN and an endpoint',
    () => ({ runtimeArn: runtimeArn('X'), endpoint: 'blue' }),
    /^agent "helpdesk": "endpoint" is for a "runtime": beside a "runtimeArn" write "qualifier"$/,
  ],
  [
    'an endpoint that is none',
    ({ runtime }) => ({ runtime, endpoint: runtime }),
    /^agent "helpdesk": "endpoint" expected a RuntimeEndpoint of .* or its name, got a Runtime$/,
  ],
  [
    'an endpoint name that is none',
    ({ runtime }) => ({ runtime, endpoint: '1' }),
    /^agent "helpdesk": "qualifier" expected an endpoint name .*, got "1"$/,
  ],
  [
    'an endpoint of another runtime',
    ({ stack }) => ({
      runtime: Runtime.fromAgentRuntimeAttributes(stack, 'Mine', {
        agentRuntimeArn: runtimeArn('Mine'),
        agentRuntimeId: 'Mine-a1B2c3D4e5',
        agentRuntimeName: 'Mine',
        roleArn: 'arn:aws:iam::111122223333:role/agent',
        agentRuntimeVersion: '1',
      }),
      endpoint: RuntimeEndpoint.fromRuntimeEndpointAttributes(stack, 'Theirs', {
        agentRuntimeEndpointArn: `${runtimeArn('Theirs')}/runtime-endpoint/blue`,
        agentRuntimeArn: runtimeArn('Theirs'),
        endpointName: 'blue',
      }),
    }),
    /^agent "helpdesk": "endpoint" belongs to the runtime Theirs-a1B2c3D4e5, expected one of Mine-a1B2c3D4e5$/,
  ],
  [
    'a runtime that wants JWTs',
    ({ stack }) => ({
      runtime: new Runtime(stack, 'Jwt', {
        runtimeName: 'jwt',
        agentRuntimeArtifact: IMAGE,
        authorizerConfiguration: RuntimeAuthorizerConfiguration.usingJWT(
          'https://example.com/.well-known/openid-configuration',
          ['client'],
        ),
      }),
    }),
    /^agent "helpdesk": "runtime" expected one that IAM callers may invoke, got Test\/Jwt, which wants JWTs/,
  ],
  [
    'a runtime of another protocol',
    ({ stack }) => ({
      runtime: new Runtime(stack, 'Tools', {
        runtimeName: 'tools',
        agentRuntimeArtifact: IMAGE,
        protocolConfiguration: ProtocolType.MCP,
      }),
    }),
    /^agent "helpdesk": "runtime" expected one of protocol HTTP, got Test\/Tools of protocol MCP/,
  ],
  [
    'a parameter without a name',
    () => ({ runtimeArn: 'ssm:' }),
    /^agent "helpdesk": expected ssm:<parameter name> such as ssm:\/agents\/onboarding\/arn, got "ssm:"$/,
  ],
])('is refused: %s', (_what, given, message) => {
  const made = inStack();

  expect(() =>
    functionIn({ agents: [{ ...NAMES, ...given(made) } as unknown as AgentProps] }, made.stack),
  ).toThrow(message);
});
