import { type CredentialProvider, signRequest } from '../agentcore/signing.ts';

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

/** Sends as it is, for auth type NONE and for the local Function URL. */
export const sendUnsigned: Send = (url, init) =>
  fetch(url, { ...init, headers: headersOf(init?.body), redirect: 'manual' });

/**
 * Sends with a SigV4 signature for Lambda, as a Function URL of auth type AWS_IAM asks for.
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
