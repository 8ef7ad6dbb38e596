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

/** What a request says of its own signature, in its headers or in its query. */
interface Claim {
  accessKeyId: string;
  /** Of the credential scope: `20261212`. */
  day: string;
  region: string;
  service: string;
  /** Names of the signed headers, joined with `;`. */
  signedNames: string;
  /** 64 hexadecimal digits. */
  signature: string;
  /** `20261212T193137Z` */
  date: string;
  sessionToken: string;
  /** How long after its date it is good for. */
  lifetimeMs: number;
  /** Headers that must be among the signed ones. */
  required: string[];
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const CREDENTIAL = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
/** AgentCore takes no URL that was signed for longer; its SDKs sign for as long by default. */
const MAX_EXPIRES_SECONDS = 300;

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. ' +
  'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const INVALID_TOKEN = 'The security token included in the request is invalid.';

/**
 * Verifies a request that is signed in its headers or in its query, as AWS does.
 *
 * @returns what AWS would say, or undefined for a valid signature
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function refuseSignature(request: SignedRequest, options: VerifyOptions): string | undefined {
  const claim = claimOf(request, options);
  if (typeof claim === 'string') return claim;
  return (
    refuseCredentials(claim, options) ?? refuseDate(claim, options) ?? refuseBytes(request, claim, options)
  );
}

/** The claim of a request, or what is wrong with how it is made. */
function claimOf(request: SignedRequest, { clockSkewMs }: VerifyOptions): Claim | string {
  const header = headerOf(request);
  const query = new URLSearchParams(request.query);
  const isPresigned = query.has('X-Amz-Algorithm');
  if (isPresigned && header('authorization')) return 'Only one auth mechanism allowed';
  if (isPresigned) return presignedClaim(query);
  const [, credential = '', signedNames = '', signature = ''] =
    AUTHORIZATION.exec(header('authorization')) ?? [];
  const scope = CREDENTIAL.exec(credential);
  if (!scope) return 'Missing Authentication Token';
  const [, accessKeyId = '', day = '', region = '', service = ''] = scope;
  const sessionToken = header('x-amz-security-token');
  return {
    ...{ accessKeyId, day, region, service, signedNames, signature, sessionToken },
    date: header('x-amz-date'),
    lifetimeMs: clockSkewMs,
    required: ['host', 'x-amz-date', ...(sessionToken ? ['x-amz-security-token'] : [])],
  };
}

function presignedClaim(query: URLSearchParams): Claim | string {
  const parameter = (name: string) => query.get(`X-Amz-${name}`) ?? '';
  if (parameter('Algorithm') !== ALGORITHM)
    return `Unsupported AWS 'algorithm': '${parameter('Algorithm')}'.`;
  const [, accessKeyId = '', day = '', region = '', service = ''] =
    CREDENTIAL.exec(parameter('Credential')) ?? [];
  const signature = parameter('Signature');
  if (!accessKeyId || !/^[0-9a-f]{64}$/.test(signature)) return 'Missing Authentication Token';
  const expires = parameter('Expires');
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_SECONDS) {
    return `X-Amz-Expires must be between 1 and ${MAX_EXPIRES_SECONDS} seconds`;
  }
  return {
    ...{ accessKeyId, day, region, service, signature },
    signedNames: parameter('SignedHeaders'),
    date: parameter('Date'),
    sessionToken: parameter('Security-Token'),
    lifetimeMs: Number(expires) * 1000,
    required: ['host'],
  };
}

function refuseCredentials(
  claim: Claim,
  { credentials, region, service }: VerifyOptions,
): string | undefined {
  const known = credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  if (!known || claim.sessionToken !== (known.sessionToken ?? '')) return INVALID_TOKEN;
  if (known.expired) return 'The security token included in the request is expired';
  if (claim.region !== region) return 'Credential should be scoped to a valid region.';
  if (claim.service !== service) return `Credential should be scoped to correct service: '${service}'.`;
  return undefined;
}

function refuseDate(
  { date, day, lifetimeMs }: Claim,
  { now, clockSkewMs }: VerifyOptions,
): string | undefined {
  const signedAt = parseDate(date);
  if (Number.isNaN(signedAt) || !date.startsWith(day))
    return 'Date in Credential scope does not match X-Amz-Date.';
  const allowed = new Date(now).toISOString();
  if (now - signedAt > lifetimeMs) return `Signature expired: ${date} is now earlier than ${allowed}`;
  if (signedAt - now > clockSkewMs)
    return `Signature not yet current: ${date} is still later than ${allowed}`;
  return undefined;
}

function refuseBytes(
  request: SignedRequest,
  claim: Claim,
  { credentials }: VerifyOptions,
): string | undefined {
  const header = headerOf(request);
  const names = claim.signedNames.split(';');
  const missing = claim.required.find((name) => !names.includes(name));
  if (missing) return `'${missing}' must be a 'SignedHeader' in the AWS Authorization.`;
  const bodyHash = sha256(request.body);
  const claimedHash = header('x-amz-content-sha256');
  if (claimedHash && claimedHash !== bodyHash) return MISMATCH;

  const canonicalRequest = [
    request.method,
    // All services but S3 encode the encoded path once more.
    request.path.split('/').map(encode).join('/'),
    canonicalQuery(request.query),
    ...names.map((name) => `${name}:${header(name).trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedNames,
    bodyHash,
  ].join('\n');
  const scope = [claim.day, claim.region, claim.service, 'aws4_request'];
  const toSign = [ALGORITHM, claim.date, scope.join('/'), sha256(canonicalRequest)].join('\n');
  const secret = credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId)?.secretAccessKey;
  const key = scope.reduce<string | Buffer>(
    (derived, part) => createHmac('sha256', derived).update(part).digest(),
    `AWS4${secret}`,
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  if (timingSafeEqual(expected, Buffer.from(claim.signature, 'hex'))) return undefined;
  return `${MISMATCH}\n\nThe Canonical String for this request should have been\n'${canonicalRequest}'\n`;
}

function headerOf({ headers }: SignedRequest): (name: string) => string {
  return (name) => [headers[name]].flat().join(',');
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

/** Every parameter but the signature itself, sorted. */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  return (
    query
      .split('&')
      .filter((pair) => !pair.startsWith('X-Amz-Signature='))
      .map((pair) => {
        const [key = '', ...values] = pair.split('=');
        return [key, values.join('=')].map((part) => encode(decoded(part)));
      })
      // By name, then by value: sorted as whole pairs, `a-b=` would come before `a=`.
      .sort(([a = '', x = ''], [b = '', y = '']) => compare(a, b) || compare(x, y))
      .map((pair) => pair.join('='))
      .join('&')
  );
}

/** A part of a query that is not encoded as it should be stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** By code point. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 20261212T193137Z */
function parseDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
