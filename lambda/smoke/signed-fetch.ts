import { type CredentialProvider, signRequest } from '../agentcore/signing.ts';

/** Sends the requests of the checks. */
export type Send = (
  url: URL,
  init?: { method?: string; body?: string; signal?: AbortSignal },
) => Promise<Response>;

export interface SigningOptions {
  /** The region of the function, for the signature. */
  readonly region: string;
  readonly credentials: CredentialProvider;
}

/** Sends a request without a signature, for auth type NONE and for the local Function URL. */
export const sendUnsigned: Send = (url, init) =>
  fetch(url, { ...init, headers: headersOf(init?.body), redirect: 'manual' });

/**
 * Sends requests with the SigV4 signature that a Function URL of auth type AWS_IAM requires.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
export function signingSend({ region, credentials }: SigningOptions): Send {
  return async (url, { method = 'GET', body, signal } = {}) => {
    const request = { service: 'lambda', region, method, url, headers: headersOf(body), body };
    const { headers } = await signRequest(request, credentials);
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
