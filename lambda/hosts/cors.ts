import type { IncomingMessage } from 'node:http';
import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS, PREFLIGHT_MAX_AGE_SECONDS } from '../contract.ts';

type Headers = Record<string, string>;

/**
 * Makes the headers that let a page of another origin read an answer. An origin that may not call gets none of them.
 *
 * @param allowedOrigins origins, or `*`
 */
export function corsHeaders({ headers }: IncomingMessage, allowedOrigins: readonly string[]): Headers {
  const { origin } = headers;
  if (allowedOrigins.length === 0) return {};
  const isAny = allowedOrigins.includes('*');
  // `Vary` keeps caches from giving an answer for one origin to another origin.
  const vary: Headers = isAny ? {} : { Vary: 'Origin' };
  if (origin === undefined || !(isAny || allowedOrigins.includes(origin))) return vary;
  return {
    ...vary,
    'Access-Control-Allow-Origin': isAny ? '*' : origin,
    'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(','),
  };
}

/** Whether a request is a browser's question if it may send another request. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** Makes the headers that a preflight gets in addition to {@link corsHeaders}: none for an origin that may not call. */
export function preflightHeaders(allowed: Headers): Headers {
  if (allowed['Access-Control-Allow-Origin'] === undefined) return {};
  return {
    'Access-Control-Allow-Methods': ALLOWED_METHODS.join(','),
    'Access-Control-Allow-Headers': ALLOWED_HEADERS.join(','),
    'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}
