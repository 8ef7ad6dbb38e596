import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dataPlaneOrigin, parseRuntimeArn, runtimePath } from '../../lambda/arn.ts';
import { FUZZ, unicode } from '../fixtures/arbitraries.ts';

const ARN = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/OnboardingAgent_Agent-a1B2c3D4e5';

function arnOf(
  part: Partial<Record<'partition' | 'service' | 'region' | 'account' | 'resource', string>>,
): string {
  const {
    partition = 'aws',
    service = 'bedrock-agentcore',
    region = 'us-east-1',
    account = '123456789012',
    resource = 'runtime/agent-a1B2c3D4e5',
  } = part;
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}

describe('a runtime ARN', () => {
  test('is taken apart', () => {
    expect(parseRuntimeArn(ARN)).toEqual({
      text: ARN,
      partition: 'aws',
      region: 'us-east-1',
      account: '123456789012',
      runtimeId: 'OnboardingAgent_Agent-a1B2c3D4e5',
    });
  });

  test.each([
    ['aws', 'us-east-1'],
    ['aws', 'ap-southeast-7'],
    ['aws', 'mx-central-1'],
    ['aws-cn', 'cn-north-1'],
    ['aws-cn', 'cn-northwest-1'],
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-iso', 'us-iso-east-1'],
    ['aws-iso-b', 'us-isob-east-1'],
    ['aws-iso-e', 'eu-isoe-west-1'],
    ['aws-iso-f', 'us-isof-south-1'],
    ['aws-eusc', 'eusc-de-east-1'],
    ['aws-new', 'xx-new-east-12'],
  ])('may be of the partition %s, region %s', (partition, region) => {
    expect(parseRuntimeArn(arnOf({ partition, region }))).toMatchObject({ partition, region });
  });

  test.each([
    ['one letter', 'a-a1B2c3D4e5'],
    ['48 characters', `${'a'.repeat(48)}-a1B2c3D4e5`],
    ['digits and underscores', 'A_1_b-0123456789'],
  ])('may have a name of %s', (_what, runtimeId) => {
    expect(parseRuntimeArn(arnOf({ resource: `runtime/${runtimeId}` }))).toMatchObject({ runtimeId });
  });

  test.each<[string, string, RegExp]>([
    ['nothing', '', /expected arn:<partition>:bedrock-agentcore:.*got ""/],
    ['a word', 'onboarding', /expected arn:<partition>:.*got "onboarding"/],
    ['too few parts', 'arn:aws:bedrock-agentcore:us-east-1:123456789012', /expected arn:<partition>:/],
    ['too many parts', `${ARN}:x`, /expected arn:<partition>:/],
    ['the prefix', ARN.replace('arn:', 'ARN:'), /wrong prefix: expected "arn", got "ARN"/],
    ['white space before it', ` ${ARN}`, /wrong prefix: expected "arn", got " arn"/],
    ['the partition', arnOf({ partition: 'azure' }), /wrong partition: expected "aws".*got "azure"/],
    ['an empty partition', arnOf({ partition: '' }), /wrong partition: expected .*got ""/],
    ['a partition that only begins so', arnOf({ partition: 'awsome' }), /wrong partition: .*got "awsome"/],
    [
      'the service',
      arnOf({ service: 'bedrock' }),
      /wrong service: expected "bedrock-agentcore", got "bedrock"/,
    ],
    ['the region', arnOf({ region: 'useast1' }), /wrong region: expected a region.*got "useast1"/],
    ['an empty region', arnOf({ region: '' }), /wrong region: .*got ""/],
    ['a region with a dot', arnOf({ region: 'us-east-1.evil.com' }), /wrong region: /],
    ['a region with a slash', arnOf({ region: 'evil.com/us-east-1' }), /wrong region: /],
    ['a region with an @', arnOf({ region: 'x@us-east-1' }), /wrong region: /],
    ['a region with a line break', arnOf({ region: 'us-east-1\n' }), /wrong region: /],
    ['a region in capitals', arnOf({ region: 'US-EAST-1' }), /wrong region: /],
    [
      'a short account',
      arnOf({ account: '12345678901' }),
      /wrong account: expected 12 digits, got "12345678901"/,
    ],
    ['a long account', arnOf({ account: '1234567890123' }), /wrong account: expected 12 digits/],
    ['an account of other digits', arnOf({ account: '١٢٣٤٥٦٧٨٩٠١٢' }), /wrong account: expected 12 digits/],
    ['another resource', arnOf({ resource: 'memory/agent-a1B2c3D4e5' }), /wrong resource: .*got "memory\//],
    ['no resource', arnOf({ resource: '' }), /wrong resource: expected "runtime\/.*got ""/],
    ['no name', arnOf({ resource: 'runtime/-a1B2c3D4e5' }), /wrong resource: /],
    ['a name with a hyphen', arnOf({ resource: 'runtime/my-agent-a1B2c3D4e5' }), /wrong resource: /],
    ['a name that begins with a digit', arnOf({ resource: 'runtime/1agent-a1B2c3D4e5' }), /wrong resource: /],
    ['a short suffix', arnOf({ resource: 'runtime/agent-a1B2c3D4e' }), /wrong resource: /],
    ['a long suffix', arnOf({ resource: 'runtime/agent-a1B2c3D4e5f' }), /wrong resource: /],
    ['a version', arnOf({ resource: 'runtime/agent-a1B2c3D4e5/1' }), /wrong resource: /],
    ['a path that climbs', arnOf({ resource: 'runtime/../agent-a1B2c3D4e5' }), /wrong resource: /],
    ['a line break at the end', `${ARN}\n`, /wrong resource: /],
  ])('is refused with what is wrong: %s', (_what, arn, message) => {
    expect(() => parseRuntimeArn(arn)).toThrow(message);
  });

  test('is not an endpoint ARN: the endpoint is the qualifier', () => {
    expect(() => parseRuntimeArn(`${ARN}/runtime-endpoint/DEFAULT`)).toThrow(
      /endpoint ARN: expected it to end before "\/runtime-endpoint\/".*qualifier.*got "runtime\/.*DEFAULT"/,
    );
  });

  test('is not repeated at full length when it is absurdly long', () => {
    expect(() => parseRuntimeArn('x'.repeat(1_000_000))).toThrow(/^.{1,500}$/);
  });

  test('any string is either taken apart, or refused with a sentence of an Error', () => {
    const parts = fc.oneof(
      unicode(),
      fc.constantFrom(
        '',
        'arn',
        'aws',
        'bedrock-agentcore',
        'us-east-1',
        '123456789012',
        'runtime/a-a1B2c3D4e5',
      ),
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 7 }), (list) => {
        const arn = list.join(':');
        let refused: unknown;
        try {
          const { partition, region, account, runtimeId } = parseRuntimeArn(arn);
          expect(arnOf({ partition, region, account, resource: `runtime/${runtimeId}` })).toBe(arn);
        } catch (thrown) {
          refused = thrown;
        }
        if (refused !== undefined) {
          expect(refused).toMatchObject({ message: expect.stringMatching(/runtime ARN.*expected.*got/s) });
        }
      }),
      FUZZ,
    );
  });
});

describe('the data plane of a runtime', () => {
  const plain = { fips: false, dualStack: false };
  const origin = (partition: string, region: string, options = plain) =>
    dataPlaneOrigin(parseRuntimeArn(arnOf({ partition, region })), options).href;

  test.each([
    ['aws', 'us-east-1', 'amazonaws.com', 'api.aws'],
    ['aws', 'eu-central-1', 'amazonaws.com', 'api.aws'],
    ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com', 'api.aws'],
    ['aws-cn', 'cn-north-1', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  ])('is the one of its region: %s, %s', (partition, region, suffix, dualStackSuffix) => {
    expect(origin(partition, region)).toBe(`https://bedrock-agentcore.${region}.${suffix}/`);
    expect(origin(partition, region, { fips: true, dualStack: false })).toBe(
      `https://bedrock-agentcore-fips.${region}.${suffix}/`,
    );
    expect(origin(partition, region, { fips: false, dualStack: true })).toBe(
      `https://bedrock-agentcore.${region}.${dualStackSuffix}/`,
    );
    expect(origin(partition, region, { fips: true, dualStack: true })).toBe(
      `https://bedrock-agentcore-fips.${region}.${dualStackSuffix}/`,
    );
  });

  test.each([
    ['aws-iso', 'us-iso-east-1', 'c2s.ic.gov'],
    ['aws-iso-b', 'us-isob-east-1', 'sc2s.sgov.gov'],
    ['aws-iso-e', 'eu-isoe-west-1', 'cloud.adc-e.uk'],
    ['aws-iso-f', 'us-isof-south-1', 'csp.hci.ic.gov'],
    ['aws-eusc', 'eusc-de-east-1', 'amazonaws.eu'],
  ])('of the other known partitions: %s', (partition, region, suffix) => {
    expect(origin(partition, region)).toBe(`https://bedrock-agentcore.${region}.${suffix}/`);
  });

  test.each(['http://127.0.0.1:8080', 'https://vpce-1.example.com', 'http://[::1]:9000'])(
    'may be replaced, by %s',
    (override) => {
      const url = dataPlaneOrigin(parseRuntimeArn(ARN), { ...plain, override });

      expect(url.origin).toBe(override);
    },
  );

  test('of a partition that nobody knows has to be given', () => {
    const arn = parseRuntimeArn(arnOf({ partition: 'aws-new', region: 'xx-new-east-1' }));

    expect(() => dataPlaneOrigin(arn, plain)).toThrow(
      /"aws-new": expected one of aws, .*or a custom endpoint/,
    );
    expect(dataPlaneOrigin(arn, { ...plain, override: 'https://x' }).host).toBe('x');
  });

  test('is not asked of Object.prototype', () => {
    expect(() => dataPlaneOrigin({ ...parseRuntimeArn(ARN), partition: 'constructor' }, plain)).toThrow(
      /no DNS suffix is known/,
    );
  });
});

describe('the path of an operation', () => {
  test.each([
    [
      'ws',
      '/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2FOnboardingAgent_Agent-a1B2c3D4e5/ws',
    ],
    [
      'invocations',
      '/runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2FOnboardingAgent_Agent-a1B2c3D4e5/invocations',
    ],
  ] as const)('%s has the ARN as one encoded segment', (operation, path) => {
    expect(runtimePath(ARN, operation)).toBe(path);
  });

  test('is left alone by URL, so that it goes on the wire as it was signed', () => {
    const path = runtimePath(ARN, 'ws');

    expect(new URL(path, 'https://bedrock-agentcore.us-east-1.amazonaws.com').pathname).toBe(path);
  });
});
