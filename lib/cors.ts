import { ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS } from '../lambda/contract.ts';

/**
 * What a cross-origin page may do, wherever the function is reached: the deployed Function URL and the local one
 * are both made from this. The handler itself emits no CORS header. Without an import of the CDK, so that the
 * local system starts fast.
 */
export const CORS = {
  allowHeaders: ALLOWED_HEADERS,
  allowMethods: ALLOWED_METHODS,
  exposeHeaders: EXPOSED_HEADERS,
  /** How long a browser may keep the answer to a preflight. */
  maxAgeSeconds: 600,
} as const;

/** Limit of a Function URL. @see https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html */
const MAX_ORIGINS = 100;

/**
 * Checks what a page's `Origin` header is compared with.
 *
 * @throws Error naming the wrong origin and the form it must have
 */
export function checkOrigins(origins: readonly string[]): void {
  if (origins.length === 0 || origins.length > MAX_ORIGINS) {
    throw new Error(`allowedOrigins: expected 1 to ${MAX_ORIGINS} origins, got ${origins.length}`);
  }
  for (const origin of origins) {
    if (origin === '*') continue;
    // URL.origin is what a browser sends: no path, no trailing slash, no default port, lower case.
    if (!/^https?:\/\/[^*]+$/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error(
        `allowedOrigins: expected "*" or an origin such as https://app.example.com (no path, no trailing slash, no wildcard inside), got ${JSON.stringify(origin)}`,
      );
    }
  }
}
