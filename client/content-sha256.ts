/** Sends a request, as `fetch` does; the option `fetch` of `streamAgent`. */
type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Adds the header `x-amz-content-sha256`, the SHA-256 of the body, to each request. Agents behind CloudFront
 * (`distribution=on`) need it: CloudFront signs the hash instead of the body, and answers a POST without it with 403.
 *
 *     streamAgent('https://app.example.com/api', { agentId, prompt, fetch: withContentSha256() })
 *
 * This works only in secure contexts (https, localhost), because only they have `crypto.subtle`.
 *
 * @param fetch sends the request with the header
 * @throws TypeError for a body that is neither text nor bytes
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda.html
 */
export function withContentSha256(fetch: Fetch = (url, init) => globalThis.fetch(url, init)): Fetch {
  return async (url, init) => {
    const { body } = init;
    if (body === undefined || body === null) return fetch(url, init);
    const headers = new Headers(init.headers);
    headers.set('x-amz-content-sha256', hex(await crypto.subtle.digest('SHA-256', bytesOf(body))));
    return fetch(url, { ...init, headers });
  };
}

function bytesOf(body: BodyInit): BufferSource {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body as BufferSource;
  throw new TypeError('withContentSha256: expected a body of text or bytes');
}

function hex(hash: ArrayBuffer): string {
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
