import type { IncomingMessage } from 'node:http';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS, PREFLIGHT_MAX_AGE_SECONDS } from '../contract.ts';

type Headers = Record<string, string>;

/**
 * The headers that let a page of another origin read an answer; none for an origin that may not.
 *
 * @param allowedOrigins origins, or `*`
 */
export function corsHeaders({ headers }: IncomingMessage, allowedOrigins: readonly string[]): Headers {
  const { origin } = headers;
  if (allowedOrigins.length === 0) return {};
  const isAny = allowedOrigins.includes('*');
  // What is cached for one origin must not be given to another.
  const vary: Headers = isAny ? {} : { Vary: 'Origin' };
  if (origin === undefined || !(isAny || allowedOrigins.includes(origin))) return vary;
  return {
    ...vary,
    'Access-Control-Allow-Origin': isAny ? '*' : origin,
    'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(','),
  };
}

/** Whether a browser asks if it may send a request. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** What a preflight is answered beside {@link corsHeaders}; nothing to an origin that may not call. */
export function preflightHeaders(allowed: Headers): Headers {
  if (allowed['Access-Control-Allow-Origin'] === undefined) return {};
  return {
    'Access-Control-Allow-Methods': ALLOWED_METHODS.join(','),
    'Access-Control-Allow-Headers': ALLOWED_HEADERS.join(','),
    'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}
