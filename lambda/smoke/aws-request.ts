import { type CredentialProvider, signRequest } from '../agentcore/signing.ts';

export interface AwsRequest {
  readonly service: 'lambda' | 'codedeploy';
  readonly region: string;
  /** The origin of the service in the region. */
  readonly endpoint: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly credentials: CredentialProvider;
}

/**
 * Sends a signed request to an API of AWS: two requests need no SDK.
 *
 * @throws Error with the status and AWS's message
 */
export async function askAws(request: AwsRequest): Promise<Record<string, unknown>> {
  const { service, region, endpoint, method, path, query = {}, headers = {}, body, credentials } = request;
  const url = new URL(path, endpoint);
  url.search = new URLSearchParams(query).toString();
  const signed = await signRequest({ service, region, method, url, headers, body }, credentials);
  const response = await fetch(url, {
    method,
    headers: signed.headers,
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${service} ${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
  }
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
