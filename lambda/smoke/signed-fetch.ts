import { createHash, createHmac } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: it signs for Lambda, in a bundle of its own
import { SignatureV4 } from '@smithy/signature-v4';

import type { CredentialProvider } from '../agentcore/signing.ts';

/** What the checks send requests with. */
export type Send = (
  url: URL,
  init?: { method?: string; body?: string; signal?: AbortSignal },
) => Promise<Response>;

export interface SigningOptions {
  /** What Lambda's signature is for. */
  readonly region: string;
  readonly credentials: CredentialProvider;
}

/** SHA-256, keyed or not, in the form that the signer takes. */
export class Sha256 {
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
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
export function signingSend({ region, credentials }: SigningOptions): Send {
  const signer = new SignatureV4({ service: 'lambda', region, credentials, sha256: Sha256 });
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
