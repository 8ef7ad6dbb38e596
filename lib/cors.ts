import {
  ALLOWED_HEADERS,
  ALLOWED_METHODS,
  EXPOSED_HEADERS,
  PREFLIGHT_MAX_AGE_SECONDS,
} from '../lambda/contract.ts';

/**
 * The rights of a cross-origin page. The deployed Function URL and the local one are both made from them, and the
 * handler itself emits no CORS header. This file imports nothing of the CDK, so that the local system starts fast.
 */
export const CORS = {
  allowHeaders: ALLOWED_HEADERS,
  allowMethods: ALLOWED_METHODS,
  exposeHeaders: EXPOSED_HEADERS,
  maxAgeSeconds: PREFLIGHT_MAX_AGE_SECONDS,
} as const;
