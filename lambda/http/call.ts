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
  /** The session store; undefined when sessions are not kept. */
  store?: Promise<SessionStore> | undefined;
}

/** The part of a request's outcome that the handler knows. */
export type Answered = Partial<Pick<RequestOutcome, 'error' | 'invocation'>>;
