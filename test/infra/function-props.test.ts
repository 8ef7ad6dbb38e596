import { App, Duration, Stack } from 'aws-cdk-lib';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { type CfnFunction, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { AgentStreamFunctionProps } from '../../lib/streaming-function.ts';
import { AGENT, functionIn } from './support.ts';

describe('wrong props', () => {
  const none = FunctionUrlAuthType.NONE;
  const origins = ['https://a.example.com'];
  test.each<[string, Partial<AgentStreamFunctionProps>, RegExp]>([
    ['no agent', { agents: [] }, /non-empty JSON array of agents/],
    ['an agent twice', { agents: [AGENT, { ...AGENT, name: 'Other' }] }, /duplicate agent id "onboarding"/],
    [
      'a malformed ARN',
      { agents: [{ ...AGENT, runtimeArn: 'arn:aws:x' }] },
      /agent "onboarding": not a runtime ARN/,
    ],
    [
      'an endpoint ARN',
      { agents: [{ ...AGENT, runtimeArn: `${AGENT.runtimeArn}/runtime-endpoint/DEFAULT` }] },
      /agent "onboarding": the runtime ARN is an endpoint ARN/,
    ],
    [
      'a partition without data plane',
      { agents: [{ ...AGENT, runtimeArn: AGENT.runtimeArn.replace('arn:aws:', 'arn:aws-moon:') }] },
      /no DNS suffix is known for the partition "aws-moon"/,
    ],
    [
      'public without origins',
      { authType: none, reservedConcurrentExecutions: 1 },
      /^auth=none needs allowedOrigins/,
    ],
    [
      'public without limit',
      { authType: none, allowedOrigins: origins },
      /^auth=none needs reservedConcurrency/,
    ],
    ['no origin', { allowedOrigins: [] }, /allowedOrigins: expected 1 to 100 origins, got 0/],
    [
      'an origin with path',
      { allowedOrigins: ['https://a.example.com/'] },
      /got "https:\/\/a\.example\.com\/"/,
    ],
    ['an origin without scheme', { allowedOrigins: ['a.example.com'] }, /got "a\.example\.com"/],
    ['an origin with default port', { allowedOrigins: ['https://a.example.com:443'] }, /got ".*:443"/],
    ['a wildcard inside', { allowedOrigins: ['https://*.example.com'] }, /no wildcard inside/],
    [
      'negative concurrency',
      { reservedConcurrentExecutions: -1 },
      /reservedConcurrency: expected .* from 0, got -1/,
    ],
    ['half concurrency', { reservedConcurrentExecutions: 1.5 }, /reservedConcurrency: .* got 1\.5/],
    ['a stack prefix with a slash', { stackStatusPrefix: 'a/b' }, /stackStatusPrefix: .* got "a\/b"/],
    [
      'a timeout of nothing',
      { connectTimeout: Duration.seconds(0) },
      /CONNECT_TIMEOUT_MS: .* from 1 .* got "0"/,
    ],
    ['a fraction', { maxRetries: 0.5 }, /MAX_RETRIES: expected a whole number .* got "0\.5"/],
    [
      'an endpoint that is none',
      { endpointUrl: 'example.com' },
      /AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: expected an origin/,
    ],
  ])('are refused: %s', (_what, props, message) => {
    expect(() => functionIn(props)).toThrow(message);
  });

  test('are refused: an environment that Lambda would not take, naming its largest entry', () => {
    const agents = [AGENT, { ...AGENT, id: 'long', name: 'Long', description: 'x'.repeat(4000) }];

    expect(() => functionIn({ agents })).toThrow(
      /environment has \d+ bytes, allowed are 4000: the largest entry is AGENTS \(\d+ bytes\), in it agent "long" \(\d+ bytes\)/,
    );
  });

  test('are refused: a VPC, given or set on the resource', () => {
    const stack = new Stack(new App(), 'Test');

    expect(() => functionIn({ vpc: new Vpc(stack, 'Vpc') as IVpc }, stack)).toThrow(
      /^vpc: a function in a VPC cannot stream/,
    );

    const { subject, template } = functionIn();
    (subject.function.node.defaultChild as CfnFunction).vpcConfig = { subnetIds: ['subnet-1'] };
    expect(template).toThrow(/vpc: a function in a VPC cannot stream/);
  });
});
