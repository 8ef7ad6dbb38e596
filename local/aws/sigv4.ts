import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  method: string;
  /** As it came, still encoded. */
  path: string;
  /** As it came, without the question mark. */
  query: string;
  headers: Record<string, string | string[] | undefined>;
  body: Uint8Array;
}

export interface KnownCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Refused, as a session token is after its time. */
  expired?: boolean;
}

export interface VerifyOptions {
  credentials: readonly KnownCredentials[];
  region: string;
  service: string;
  /** Milliseconds since the epoch. */
  now: number;
  clockSkewMs: number;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Verifies a header-signed request as AWS does.
 *
 * @returns what AWS would say, or undefined for a valid signature
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function refuseSignature(request: SignedRequest, options: VerifyOptions): string | undefined {
  const header = (name: string) => [request.headers[name]].flat().join(',');
  const match = AUTHORIZATION.exec(header('authorization'));
  if (!match) return 'Missing Authentication Token';
  const [, accessKeyId = '', day = '', region = '', service = '', signedNames = '', signature = ''] = match;

  const credentials = options.credentials.find((known) => known.accessKeyId === accessKeyId);
  if (!credentials) return 'The security token included in the request is invalid.';
  if (header('x-amz-security-token') !== (credentials.sessionToken ?? '')) {
    return 'The security token included in the request is invalid.';
  }
  if (credentials.expired) return 'The security token included in the request is expired';
  if (region !== options.region) {
    return `Credential should be scoped to a valid region.`;
  }
  if (service !== options.service)
    return `Credential should be scoped to correct service: '${options.service}'.`;

  const date = header('x-amz-date');
  const signedAt = parseDate(date);
  if (Number.isNaN(signedAt) || !date.startsWith(day))
    return 'Date in Credential scope does not match X-Amz-Date.';
  const allowed = new Date(options.now).toISOString();
  if (options.now - signedAt > options.clockSkewMs)
    return `Signature expired: ${date} is now earlier than ${allowed}`;
  if (signedAt - options.now > options.clockSkewMs) {
    return `Signature not yet current: ${date} is still later than ${allowed}`;
  }

  const names = signedNames.split(';');
  const required = [
    'host',
    'x-amz-date',
    ...(header('x-amz-security-token') ? ['x-amz-security-token'] : []),
  ];
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) return `'${missing[0]}' must be a 'SignedHeader' in the AWS Authorization.`;

  const bodyHash = sha256(request.body);
  const claimed = header('x-amz-content-sha256');
  const mismatch =
    'The request signature we calculated does not match the signature you provided. ' +
    'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
  if (claimed && claimed !== bodyHash) return mismatch;

  const canonicalRequest = [
    request.method,
    // All services but S3 encode the encoded path once more.
    request.path.split('/').map(encode).join('/'),
    canonicalQuery(request.query),
    ...names.map((name) => `${name}:${header(name).trim().replace(/ +/g, ' ')}`),
    '',
    signedNames,
    bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  if (timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return undefined;
  return `${mismatch}\n\nThe Canonical String for this request should have been\n'${canonicalRequest}'\n`;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** RFC 3986: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const [key = '', value = ''] = pair.split('=').map((part) => encode(decodeURIComponent(part)));
      return `${key}=${value}`;
    })
    .sort()
    .join('&');
}

/** 20261212T193137Z */
function parseDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
