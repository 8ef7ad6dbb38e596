import { createHash, createHmac } from 'node:crypto';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';

/** What the checks send requests with. */
export type Send = (
  url: URL,
  init?: { method?: string; body?: string; signal?: AbortSignal },
) => Promise<Response>;

export interface SigningOptions {
  /** Of the shared configuration files. @default the SDK's default chain */
  profile?: string;
  /** @default the one in the Function URL's host name, else AWS_REGION */
  region?: string;
}

/** SHA-256, keyed or not, in the form that the signer takes. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** Sends as it is, for auth type NONE and for the local Function URL. */
export const sendUnsigned: Send = (url, init) =>
  fetch(url, { ...init, headers: headersOf(init?.body), redirect: 'manual' });

/**
 * Sends with a SigV4 signature for Lambda, as a Function URL of auth type AWS_IAM asks for.
 *
 * @throws Error when the region can be had from nowhere
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
export function signingSend(base: URL, { profile, region = regionOf(base) }: SigningOptions): Send {
  if (region === undefined) {
    throw new Error(`no region in ${base.host}: give it with --region`);
  }
  const provide = defaultProvider(profile === undefined ? {} : { profile });
  const signer = new SignatureV4({
    service: 'lambda',
    region,
    credentials: () =>
      provide().catch((cause) => {
        const where = profile === undefined ? 'in the environment' : `of the profile "${profile}"`;
        throw new Error(`no AWS credentials ${where}`, { cause });
      }),
    sha256: Sha256,
  });
  return async (url, { method = 'GET', body, signal } = {}) => {
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...headersOf(body) },
      body,
    });
    // fetch writes Host itself, the same one.
    const { host: _host, ...headers } = signed.headers;
    return fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  };
}

function headersOf(body: string | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-type': 'application/json' };
}

/** `https://<id>.lambda-url.<region>.on.aws` */
function regionOf({ hostname }: URL): string | undefined {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  return /\.lambda-url\.([a-z0-9-]+)\./.exec(hostname)?.[1] ?? AWS_REGION ?? AWS_DEFAULT_REGION;
}
