import { createHash, createHmac } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: this file owns it
import { SignatureV4 } from '@smithy/signature-v4';
import { type RuntimeArn, type RuntimeOperation, runtimePath } from '../arn.ts';
import type { Credentials } from '../config.ts';
import { StreamError } from '../errors.ts';

export type CredentialProvider = () => Promise<Credentials>;

/** A request to a runtime. */
export interface RuntimeRequest {
  arn: RuntimeArn;
  /** The data plane's origin. */
  origin: URL;
  qualifier: string;
  sessionId: string;
  /** Further headers to sign and send, with names in lower case. */
  headers?: Record<string, string>;
}

const SERVICE = 'bedrock-agentcore';

/** SHA-256, with or without a key, in the form that the signer takes. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** A signed request. Path, query and headers must be sent byte for byte as they are, because they are signed. */
export interface SignedRequest {
  url: URL;
  headers: Record<string, string>;
}

/**
 * Signs the upgrade to `/runtimes/{arn}/ws`. The session id is signed; the Upgrade headers are not.
 *
 * @throws StreamError Unauthenticated when there are no credentials
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signUpgrade(
  request: RuntimeRequest,
  credentials: CredentialProvider,
  now = new Date(),
): Promise<SignedRequest> {
  return sign('GET', 'ws', request, undefined, credentials, now);
}

/** Signs a POST to `/runtimes/{arn}/invocations`, body included. */
export function signInvocation(
  request: RuntimeRequest,
  body: string,
  credentials: CredentialProvider,
  now = new Date(),
): Promise<SignedRequest> {
  return sign('POST', 'invocations', request, body, credentials, now);
}

/** Signs a POST to `/runtimes/{arn}/stopruntimesession`, body included. */
export function signStop(
  request: RuntimeRequest,
  body: string,
  credentials: CredentialProvider,
  now = new Date(),
): Promise<SignedRequest> {
  return sign('POST', 'stopruntimesession', request, body, credentials, now);
}

async function sign(
  method: 'GET' | 'POST',
  operation: RuntimeOperation,
  { arn, origin, qualifier, sessionId, headers }: RuntimeRequest,
  body: string | undefined,
  credentials: CredentialProvider,
  now: Date,
): Promise<SignedRequest> {
  const url = new URL(runtimePath(arn.text, operation), origin);
  url.search = `?qualifier=${qualifier}`;
  return signRequest(
    {
      service: SERVICE,
      // An agent may live in another region than this function: the ARN's region is the host's.
      region: arn.region,
      method,
      url,
      headers: { 'x-amzn-bedrock-agentcore-runtime-session-id': sessionId, ...headers },
      body,
    },
    credentials,
    now,
  );
}

/** A request to any AWS service. */
export interface AwsRequest {
  service: string;
  region: string;
  method: string;
  url: URL;
  /** The headers, with names in lower case. */
  headers?: Record<string, string>;
  body: string | undefined;
}

/**
 * Signs a request with SigV4.
 *
 * @throws StreamError Unauthenticated when there are no credentials
 */
export async function signRequest(
  { service, region, method, url, headers, body }: AwsRequest,
  credentials: CredentialProvider,
  now = new Date(),
): Promise<SignedRequest> {
  const signer = new SignatureV4({
    service,
    region,
    credentials: await credentials().catch((cause) => {
      throw new StreamError('Unauthenticated', 'this service has no AWS credentials', { cause });
    }),
    sha256: Sha256,
    // An upgrade has no body: without the checksum header the signed set is the one that botocore makes.
    applyChecksum: body !== undefined,
  });
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...headers },
      body,
    },
    { signingDate: now },
  );
  // Node's client adds the same Host header itself.
  const { host: _host, ...sent } = signed.headers;
  return { url, headers: sent };
}
