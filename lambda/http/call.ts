import type { Upstream } from '../agentcore/upstream.ts';
import type { SessionStore } from '../sessions/store.ts';
import type { RequestOutcome } from '../telemetry/outcome.ts';
import type { RequestTelemetry } from '../telemetry/telemetry.ts';
import type { Host, Request } from './request.ts';

/** One request on its way through a handler. */
export interface Call extends Host {
  request: Request;
  upstream: Upstream;
  telemetry: RequestTelemetry;
  /** Where sessions are kept; undefined where they are not. */
  store?: Promise<SessionStore> | undefined;
}

/** What a handler's answer came to. */
export type Answered = Partial<Pick<RequestOutcome, 'error' | 'invocation'>>;
