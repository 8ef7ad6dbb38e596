import { App, CfnParameter, Duration, Stack, Token } from 'aws-cdk-lib';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { type CfnFunction, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { AgentStreamFunctionProps } from '../../lib/function-props.ts';
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
      /^authType NONE needs allowedOrigins/,
    ],
    [
      'public without limit',
      { authType: none, allowedOrigins: origins },
      /^authType NONE needs reservedConcurrentExecutions/,
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
      /^reservedConcurrentExecutions: expected .* of at least 0, got -1/,
    ],
    ['half concurrency', { reservedConcurrentExecutions: 1.5 }, /^reservedConcurrentExecutions: .* got 1\.5/],
    ['a stack prefix with a slash', { stackStatusPrefix: 'a/b' }, /stackStatusPrefix: .* got "a\/b"/],
    ['a stage that cannot stand in a search', { stage: 'My "stage"' }, /^stage: expected lower-case .*/],
    [
      'a service name that cannot either',
      { serviceName: 'a "b"' },
      /^serviceName: expected 1 to 128 letters, .*, got "a \\"b\\""$/,
    ],
    [
      'a timeout of nothing',
      { connectTimeout: Duration.seconds(0) },
      /^connectTimeout: expected a whole number from 1 to 2147483647 milliseconds, got 0$/,
    ],
    ['half a millisecond', { pongTimeout: Duration.millis(0.5) }, /^pongTimeout: .*milliseconds, got 0\.5$/],
    ['a fraction', { maxRetries: 0.5 }, /^maxRetries: expected a whole number from 0 to .*, got 0\.5$/],
    [
      'pings that come too late',
      { pingInterval: Duration.minutes(1) },
      /^pingInterval: expected .* to 59999 milliseconds \(AgentCore drops .* 60 s\), got 60000$/,
    ],
    [
      'connections that get too old',
      { poolMaxAge: Duration.hours(1) },
      /^poolMaxAge: expected .* to 3599999 milliseconds \(AgentCore ends .* 60 min\), got 3600000$/,
    ],
    [
      'an answer longer than an invocation',
      { maxDuration: Duration.minutes(16) },
      /^maxDuration: expected .* to 900000 milliseconds \(Lambda ends .* 15 min\), got 960000$/,
    ],
    [
      'an answer that Lambda would cut',
      { maxResponseBytes: 200_000_000 },
      /^maxResponseBytes: expected .* to 199000000 bytes \(Lambda cuts .* 200 MB, .*\), got 200000000$/,
    ],
    [
      'an endpoint that is none',
      { endpointUrl: 'example.com' },
      /^endpointUrl: expected an origin such as https:\/\/host:port, got "example\.com"$/,
    ],
    [
      'too little memory',
      { memorySize: 127 },
      /^memorySize: expected .* from 128 to 10240 \(MiB\), got 127$/,
    ],
    ['too much memory', { memorySize: 10_241 }, /^memorySize: .*, got 10241$/],
    [
      'more time than Lambda allows',
      { timeout: Duration.minutes(16) },
      /^timeout: expected at most 15 minutes, .*, got 960 s$/,
    ],
    [
      'no time beside the reserve',
      { timeout: Duration.seconds(3) },
      /^timeout: expected more than deadlineReserve \(3 s\), or every request fails at once, got 3 s$/,
    ],
    [
      'a reserve as long as the timeout',
      { timeout: Duration.minutes(1), deadlineReserve: Duration.minutes(1) },
      /^timeout: expected more than deadlineReserve \(60 s\)/,
    ],
    [
      'a duration that is known at deployment only',
      { idleTimeout: Duration.seconds(Token.asNumber({ Ref: 'IdleSeconds' })) },
      /^idleTimeout: expected a duration that is known at synthesis, got a token$/,
    ],
  ])('are refused: %s', (_what, props, message) => {
    expect(() => functionIn(props)).toThrow(message);
  });

  describe('an environment', () => {
    const described = (description: string) => ({ agents: [{ ...AGENT, description }] });
    const room = 4000 - bytesOf(described('x')) + 1;

    test('of 4,000 bytes is taken, and a byte more refused', () => {
      expect(() => functionIn(described('x'.repeat(room)))).not.toThrow();
      expect(() => functionIn(described('x'.repeat(room + 1)))).toThrow(
        /^the function's environment has 4001 bytes, more than the 4000 allowed: the largest entry is AGENTS/,
      );
    });

    test('that is too large is refused with the largest of its agents', () => {
      const agents = [AGENT, { ...AGENT, id: 'long', name: 'Long', description: 'x'.repeat(4000) }];

      expect(() => functionIn({ agents })).toThrow(
        /the largest entry is AGENTS \(\d+ bytes\), in it agent "long" \(\d+ bytes\): shorten/,
      );
    });

    test('that is too large is refused with its largest entry, whichever that is', () => {
      const endpointUrl = `https://${'a'.repeat(4000)}.example.com`;

      expect(() => functionIn({ endpointUrl })).toThrow(
        /the largest entry is AWS_ENDPOINT_URL_BEDROCK_AGENTCORE \(4\d\d\d bytes\)$/,
      );
    });

    test('counts a token as long as a runtime ARN may be', () => {
      const runtimeArn = Token.asString({ Ref: 'RuntimeArn' });
      const agents = (count: number) =>
        Array.from({ length: count }, (_, i) => ({ id: `a${i}`, name: `A${i}`, runtimeArn }));

      expect(() => functionIn({ agents: agents(15) })).not.toThrow();
      expect(() => functionIn({ agents: agents(25) })).toThrow(
        /environment has \d+ bytes, more than the 4000 allowed/,
      );
    });

    test('that others made too large is refused at synthesis', () => {
      const { subject, template } = functionIn();

      subject.function.addEnvironment('THEIRS', 'x'.repeat(4000));

      expect(template).toThrow(
        /environment has \d+ bytes, more than the 4000 allowed: the largest entry is THEIRS/,
      );
    });
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

/** What Lambda counts of a function's environment: names and values. */
function bytesOf(props: Partial<AgentStreamFunctionProps>): number {
  const [fn] = Object.values(functionIn(props).template().findResources('AWS::Lambda::Function'));
  return Buffer.byteLength(Object.entries(fn?.Properties.Environment.Variables).flat().join(''));
}

describe('what is known at deployment only', () => {
  const parameter = (stack: Stack, id: string, type = 'String') => new CfnParameter(stack, id, { type });

  test('is taken for origins, one by one or as a list', () => {
    for (const [type, value] of [
      ['String', (one: CfnParameter) => [one.valueAsString, 'https://b.example.com']],
      ['CommaDelimitedList', (one: CfnParameter) => one.valueAsList],
    ] as const) {
      const stack = new Stack(new App(), 'Test');
      const origins = value(parameter(stack, 'Origins', type));

      const { template } = functionIn({ allowedOrigins: origins }, stack);

      template().hasResourceProperties('AWS::Lambda::Url', {
        Cors: {
          AllowOrigins:
            type === 'String' ? [{ Ref: 'Origins' }, 'https://b.example.com'] : { Ref: 'Origins' },
        },
      });
    }
  });

  test('is taken for numbers', () => {
    const stack = new Stack(new App(), 'Test');
    const number = parameter(stack, 'Number', 'Number').valueAsNumber;

    const { template } = functionIn(
      { maxRetries: number, memorySize: number, reservedConcurrentExecutions: number },
      stack,
    );

    template().hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: { Ref: 'Number' },
      ReservedConcurrentExecutions: { Ref: 'Number' },
      Environment: { Variables: { MAX_RETRIES: { Ref: 'Number' } } },
    });
  });

  test('is taken for the stage, and alarms watch what the function then emits', () => {
    const stack = new Stack(new App(), 'Test');
    const stage = parameter(stack, 'Stage').valueAsString;

    const { subject, template } = functionIn({ stage }, stack);

    const service = stack.resolve(subject.metricErrors().dimensions?.service);
    expect(service).toEqual({ 'Fn::Join': ['', ['agentcore-stream-', { Ref: 'Stage' }]] });
    template().hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { STAGE: { Ref: 'Stage' }, POWERTOOLS_SERVICE_NAME: service } },
    });
  });
});

describe('the name of the service', () => {
  test('is the stage’s, or one’s own, and the function is told of it', () => {
    const named = (props: Partial<AgentStreamFunctionProps>) => {
      const { subject, template } = functionIn(props);
      const [fn] = Object.values(template().findResources('AWS::Lambda::Function'));
      const told = fn?.Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME;
      return [subject.metricErrors().dimensions?.service, told];
    };

    expect(named({})).toEqual(['agentcore-stream', undefined]);
    expect(named({ stage: 'dev' })).toEqual(['agentcore-stream', undefined]);
    expect(named({ stage: 'prod' })).toEqual(['agentcore-stream-prod', 'agentcore-stream-prod']);
    expect(named({ stage: 'prod', serviceName: 'helpdesk' })).toEqual(['helpdesk', 'helpdesk']);
  });

  test('is refused where another function of the same account and region has it', () => {
    const app = new App();
    const first = new Stack(app, 'First');
    functionIn({ serviceName: 'mine' }, first);

    expect(() => functionIn({ serviceName: 'mine' }, new Stack(app, 'Second'))).toThrow(
      /^serviceName: "mine" is already the name of First\/Stream, .*: give Second\/Stream another$/,
    );
    expect(() => functionIn({ serviceName: 'other' }, new Stack(app, 'Third'))).not.toThrow();
  });

  test('may be the same in two accounts or regions', () => {
    const app = new App();
    const account = '111122223333';

    for (const region of ['eu-west-1', 'us-east-1']) {
      const stack = new Stack(app, region, { env: { account, region } });
      expect(() => functionIn({}, stack)).not.toThrow();
    }
  });
});
