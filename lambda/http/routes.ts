import { ROUTES } from '../contract.ts';
import { StreamError } from '../errors.ts';
import type { FormatName } from '../protocols/protocols.ts';

export type Route =
  | { name: 'invoke'; defaultFormat: FormatName }
  | { name: 'list' }
  | { name: 'health' }
  | { name: 'agentStatus'; agentId: string }
  | { name: 'stackStatus'; stackName: string };

const FIXED: Record<string, { method: 'GET' | 'POST'; route: Route }> = {
  [ROUTES.root]: { method: 'POST', route: { name: 'invoke', defaultFormat: 'sse' } },
  [ROUTES.api]: { method: 'POST', route: { name: 'invoke', defaultFormat: 'sse' } },
  [ROUTES.invoke]: { method: 'POST', route: { name: 'invoke', defaultFormat: 'json' } },
  [ROUTES.list]: { method: 'GET', route: { name: 'list' } },
  [ROUTES.health]: { method: 'GET', route: { name: 'health' } },
};

/**
 * Which route answers. One trailing slash is ignored; nothing else of a path is normalised.
 *
 * @throws StreamError NotFound, or MethodNotAllowed with its Allow header
 */
export function matchRoute(method: string, rawPath: string): Route {
  const path = rawPath.length > 1 && rawPath.endsWith('/') ? rawPath.slice(0, -1) : rawPath || ROUTES.root;
  const { method: allowed, route } = findRoute(path);
  if (method === allowed) return route;
  throw new StreamError('MethodNotAllowed', `expected ${allowed}, got ${method.slice(0, 20)}`, {
    headers: { Allow: allowed },
  });
}

function findRoute(path: string): { method: 'GET' | 'POST'; route: Route } {
  const fixed = Object.hasOwn(FIXED, path) ? FIXED[path] : undefined;
  if (fixed) return fixed;
  const agentId = parameter(path, ROUTES.agentStatus);
  // An ARN has a slash of its own, which not every client encodes.
  if (agentId !== undefined && (!agentId.raw.includes('/') || agentId.raw.startsWith('arn:'))) {
    return { method: 'GET', route: { name: 'agentStatus', agentId: agentId.decoded } };
  }
  const stackName = parameter(path, ROUTES.stackStatus);
  if (stackName !== undefined && !stackName.raw.includes('/')) {
    return { method: 'GET', route: { name: 'stackStatus', stackName: stackName.decoded } };
  }
  throw new StreamError('NotFound', 'no such route');
}

function parameter(path: string, prefix: string): { raw: string; decoded: string } | undefined {
  const raw = path.startsWith(prefix) ? path.slice(prefix.length) : '';
  if (raw === '') return undefined;
  try {
    return { raw, decoded: decodeURIComponent(raw) };
  } catch {
    // Not valid percent-encoding: the name as it came, which names nothing.
    return { raw, decoded: raw };
  }
}

/**
 * The format that `Accept` ranks highest; the route's default on a tie, a wildcard, an unknown type or no header.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function negotiateFormat<Name extends string>(
  accept: string | undefined,
  defaultFormat: Name,
  formats: Record<Name, { mediaType: string }>,
): Name {
  const quality = qualities(accept);
  let best = defaultFormat;
  for (const name of Object.keys(formats) as Name[]) {
    const q = quality.get(formats[name].mediaType) ?? 0;
    if (q > (quality.get(formats[best].mediaType) ?? 0)) best = name;
  }
  return best;
}

/** What a caller gives to each media type that it names. */
function qualities(accept = ''): Map<string, number> {
  const quality = new Map<string, number>();
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    if (q === undefined) quality.set(type, 1);
    else if (/^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q)) quality.set(type, Number(q));
  }
  return quality;
}
