import {
  ALLOWED_HEADERS,
  ALLOWED_METHODS,
  EXPOSED_HEADERS,
  PREFLIGHT_MAX_AGE_SECONDS,
} from '../lambda/contract.ts';

/**
 * What a cross-origin page may do, wherever the function is reached: the deployed Function URL and the local one
 * are both made from this. The handler itself emits no CORS header. Without an import of the CDK, so that the
 * local system starts fast.
 */
export const CORS = {
  allowHeaders: ALLOWED_HEADERS,
  allowMethods: ALLOWED_METHODS,
  exposeHeaders: EXPOSED_HEADERS,
  maxAgeSeconds: PREFLIGHT_MAX_AGE_SECONDS,
} as const;
