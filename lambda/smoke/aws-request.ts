// biome-ignore lint/style/noRestrictedImports: it signs for other services, in a bundle of its own
import { SignatureV4 } from '@smithy/signature-v4';
import type { CredentialProvider } from '../agentcore/signing.ts';
import { Sha256 } from './signed-fetch.ts';

export interface AwsRequest {
  readonly service: 'lambda' | 'codedeploy';
  readonly region: string;
  /** Origin of the service in that region. */
  readonly endpoint: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly credentials: CredentialProvider;
}

/** A signed request to an API of AWS. Two of them need no SDK. @throws Error with the status and what AWS said */
export async function askAws(request: AwsRequest): Promise<Record<string, unknown>> {
  const { service, region, endpoint, method, path, query = {}, headers = {}, body, credentials } = request;
  const url = new URL(path, endpoint);
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query,
    headers: { host: url.host, ...headers },
    body,
  });
  url.search = new URLSearchParams(query).toString();
  const { host: _host, ...sent } = signed.headers;
  const response = await fetch(url, { method, headers: sent, ...(body !== undefined && { body }) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${service} ${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
  }
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
