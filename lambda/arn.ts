/** A runtime ARN and its parts. */
export interface RuntimeArn {
  /** The ARN itself. */
  text: string;
  partition: string;
  region: string;
  account: string;
  runtimeId: string;
}

/**
 * The choice of an endpoint, with the SDKs' options `useFipsEndpoint`, `useDualstackEndpoint` and a custom endpoint.
 */
export interface EndpointOptions {
  fips: boolean;
  dualStack: boolean;
  /** The origin that replaces the region's data plane, for example `http://127.0.0.1:8080`. */
  override?: string | undefined;
}

const SHAPE = 'arn:<partition>:bedrock-agentcore:<region>:<account>:runtime/<runtime id>';

/** The parts of the published pattern (AgentCore control plane, AgentRuntimeArn), each with its words for errors. */
const PARTS: readonly [name: string, pattern: RegExp, expected: string][] = [
  ['prefix', /^arn$/, '"arn"'],
  ['partition', /^aws(-[a-z0-9-]+)?$/, '"aws", "aws-cn", "aws-us-gov" or another aws partition'],
  ['service', /^bedrock-agentcore$/, '"bedrock-agentcore"'],
  ['region', /^[a-z]{2,}(-[a-z0-9]+)+-\d+$/, 'a region such as "us-east-1"'],
  ['account', /^\d{12}$/, '12 digits'],
  [
    'resource',
    /^runtime\/[a-zA-Z][a-zA-Z0-9_]{0,99}-[a-zA-Z0-9]{10}$/,
    '"runtime/<name>-<10 letters or digits>", the name of letters, digits and underscores',
  ],
];

/**
 * Takes an AgentCore runtime ARN apart.
 *
 * @throws Error that says which part is wrong, the expected value and the given one
 */
export function parseRuntimeArn(arn: string): RuntimeArn {
  const parts = arn.split(':');
  if (parts.length !== PARTS.length) {
    throw new Error(`not a runtime ARN: expected ${SHAPE}, got ${quote(arn)}`);
  }
  PARTS.forEach(([name, pattern, expected], i) => {
    const given = parts[i] ?? '';
    if (pattern.test(given)) return;
    if (name === 'resource' && given.includes('/runtime-endpoint/')) {
      throw new Error(
        `the runtime ARN is an endpoint ARN: expected it to end before "/runtime-endpoint/" (the endpoint's name is the qualifier), got ${quote(given)}`,
      );
    }
    throw new Error(`the runtime ARN has a wrong ${name}: expected ${expected}, got ${quote(given)}`);
  });
  const [, partition = '', , region = '', account = '', resource = ''] = parts;
  return { text: arn, partition, region, account, runtimeId: resource.slice('runtime/'.length) };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** The DNS suffixes by partition, plain and dual stack, from the endpoint rules of the AWS SDKs. */
const DNS_SUFFIXES: Record<string, { plain: string; dualStack: string }> = {
  aws: { plain: 'amazonaws.com', dualStack: 'api.aws' },
  'aws-us-gov': { plain: 'amazonaws.com', dualStack: 'api.aws' },
  'aws-cn': { plain: 'amazonaws.com.cn', dualStack: 'api.amazonwebservices.com.cn' },
  'aws-eusc': { plain: 'amazonaws.eu', dualStack: 'api.amazonwebservices.eu' },
  'aws-iso': { plain: 'c2s.ic.gov', dualStack: 'api.aws.ic.gov' },
  'aws-iso-b': { plain: 'sc2s.sgov.gov', dualStack: 'api.aws.scloud' },
  'aws-iso-e': { plain: 'cloud.adc-e.uk', dualStack: 'api.cloud-aws.adc-e.uk' },
  'aws-iso-f': { plain: 'csp.hci.ic.gov', dualStack: 'api.aws.hci.ic.gov' },
};

/**
 * Returns the data plane's origin for a runtime, such as `https://bedrock-agentcore.us-east-1.amazonaws.com`.
 *
 * @throws Error for a partition without a known suffix
 */
export function dataPlaneOrigin(arn: RuntimeArn, options: EndpointOptions): URL {
  return serviceOrigin('bedrock-agentcore', arn, options);
}

/**
 * Returns the origin of a service in a region, by the endpoint rules that the AWS SDKs have for most services.
 *
 * @param service the prefix of the endpoint, for example `dynamodb`
 * @throws Error for a partition without a known suffix
 */
export function serviceOrigin(
  service: string,
  { partition, region }: Pick<RuntimeArn, 'partition' | 'region'>,
  { fips, dualStack, override }: EndpointOptions,
): URL {
  if (override !== undefined) return new URL(override);
  const suffixes = Object.hasOwn(DNS_SUFFIXES, partition) ? DNS_SUFFIXES[partition] : undefined;
  if (!suffixes) {
    throw new Error(
      `no DNS suffix is known for the partition "${partition}": expected one of ${Object.keys(DNS_SUFFIXES).join(', ')}, or a custom endpoint`,
    );
  }
  const host = fips ? `${service}-fips` : service;
  return new URL(`https://${host}.${region}.${dualStack ? suffixes.dualStack : suffixes.plain}`);
}

/** The operations of a runtime, each by the end of its path. */
export type RuntimeOperation = 'ws' | 'invocations' | 'stopruntimesession';

/**
 * Returns the path of a runtime's operation. The ARN is percent-encoded as one segment (`:` as %3A, `/` as %2F), as the
 * AWS SDKs send it. The path must be sent exactly so, because SigV4 encodes the encoded path once more and signs that.
 */
export function runtimePath(arn: string, operation: RuntimeOperation): string {
  return `/runtimes/${encodeURIComponent(arn)}/${operation}`;
}
