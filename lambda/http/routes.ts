import { StreamError } from '../errors.ts';
import type { FormatName, ProtocolName } from '../protocols/protocols.ts';

export type Route =
  /** The caller chooses the format. */
  | { name: 'invoke'; defaultFormat: FormatName }
  /** The route belongs to a frontend kit. The path may name the agent. */
  | { name: 'invoke'; protocol: ProtocolName; agentId?: string }
  | { name: 'chatStream'; chatId: string; agentId?: string }
  | { name: 'list' }
  | { name: 'health' }
  | { name: 'agentStatus'; agentId: string }
  | { name: 'stackStatus'; stackName: string }
  | { name: 'beginSession'; agentId: string }
  | ({ name: 'sessionState' | 'sessionStream' | 'stopAnswer' | 'endSession' } & SessionPath);

/** The agent and the session that a path names. */
export interface SessionPath {
  agentId: string;
  sessionId: string;
}

/** The decoded values of the names in braces in a path. */
type Parameters = Record<string, string>;

interface RouteEntry {
  /** One of the contract's `ALLOWED_METHODS`. HEAD is answered wherever GET is. */
  method: 'GET' | 'POST' | 'DELETE';
  /** The path as docs/openapi.yaml writes it: a name in braces is a segment of any text. */
  path: string;
  route: (parameters: Parameters) => Route;
}

/** Every route of the HTTP contract. A further route is one line here. If two routes match, the earlier one answers. */
export const ROUTES: readonly RouteEntry[] = [
  { method: 'POST', path: '/', route: () => ({ name: 'invoke', defaultFormat: 'sse' }) },
  { method: 'POST', path: '/api', route: () => ({ name: 'invoke', defaultFormat: 'sse' }) },
  { method: 'POST', path: '/api/agents/invoke', route: () => ({ name: 'invoke', defaultFormat: 'json' }) },
  { method: 'POST', path: '/api/chat', route: kit('ui-message-stream') },
  { method: 'POST', path: '/api/agents/{agentId}/chat', route: kit('ui-message-stream') },
  {
    method: 'GET',
    path: '/api/chat/{chatId}/stream',
    route: ({ chatId = '' }) => ({ name: 'chatStream', chatId }),
  },
  {
    method: 'GET',
    path: '/api/agents/{agentId}/chat/{chatId}/stream',
    route: ({ agentId = '', chatId = '' }) => ({ name: 'chatStream', agentId, chatId }),
  },
  { method: 'POST', path: '/api/ag-ui', route: kit('ag-ui') },
  { method: 'POST', path: '/api/agents/{agentId}/ag-ui', route: kit('ag-ui') },
  { method: 'GET', path: '/api/agents/list', route: () => ({ name: 'list' }) },
  {
    method: 'GET',
    path: '/api/agents/status/{agentId}',
    route: ({ agentId = '' }) => ({ name: 'agentStatus', agentId }),
  },
  {
    method: 'GET',
    path: '/api/stacks/status/{stackName}',
    route: ({ stackName = '' }) => ({ name: 'stackStatus', stackName }),
  },
  { method: 'GET', path: '/health', route: () => ({ name: 'health' }) },
  {
    method: 'POST',
    path: '/api/agents/{agentId}/sessions',
    route: ({ agentId = '' }) => ({ name: 'beginSession', agentId }),
  },
  ...sessionRoutes([
    ['GET', '', 'sessionState'],
    ['DELETE', '', 'endSession'],
    ['GET', '/stream', 'sessionStream'],
    ['POST', '/stop', 'stopAnswer'],
  ]),
];

function kit(protocol: ProtocolName): RouteEntry['route'] {
  return ({ agentId }) => ({ name: 'invoke', protocol, ...(agentId !== undefined && { agentId }) });
}

type SessionRoute = Extract<Route, SessionPath & { name: string }>['name'];

function sessionRoutes(
  entries: [method: RouteEntry['method'], end: string, name: Exclude<SessionRoute, 'beginSession'>][],
): RouteEntry[] {
  return entries.map(([method, end, name]) => ({
    method,
    path: `/api/agents/{agentId}/sessions/{sessionId}${end}`,
    route: ({ agentId = '', sessionId = '' }) => ({ name, agentId, sessionId }),
  }));
}

const PATTERNS = ROUTES.map((entry) => ({ ...entry, pattern: patternOf(entry.path) }));

function patternOf(path: string): RegExp {
  const parts = path.split(/\{(\w+)\}/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    // An ARN contains a slash, which not every client encodes.
    return `(?<${part}>${part === 'agentId' ? 'arn:.+?|' : ''}[^/]+)`;
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}

/**
 * Finds the route of a request. Several leading slashes count as one and one trailing slash is ignored, because a
 * frontend may append its path to a URL that ends in a slash. Nothing else of a path is normalised. HEAD is answered
 * like GET: the server in front sends no body for it.
 *
 * @throws StreamError NotFound, or MethodNotAllowed with its Allow header
 */
export function matchRoute(method: string, rawPath: string): Route {
  const path = rawPath.replace(/^\/{2,}/, '/').replace(/(?<=.)\/$/s, '') || '/';
  const found = PATTERNS.filter(({ pattern }) => pattern.test(path));
  if (found.length === 0) throw new StreamError('NotFound', 'no such route');
  const wanted = method === 'HEAD' ? 'GET' : method;
  const entry = found.find((candidate) => candidate.method === wanted);
  if (entry) return entry.route(parametersOf(entry.pattern, path));
  const allowed = found.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : [one.method])).join(', ');
  throw new StreamError('MethodNotAllowed', `expected ${allowed}, got ${method.slice(0, 20)}`, {
    headers: { Allow: allowed },
  });
}

function parametersOf(pattern: RegExp, path: string): Parameters {
  const raw = Object.entries(pattern.exec(path)?.groups ?? {});
  return Object.fromEntries(raw.map(([name, value]) => [name, decoded(value)]));
}

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    // Invalid percent-encoding stays as received. Nothing has such a name.
    return raw;
  }
}

/**
 * Returns the format that `Accept` ranks highest. A tie, a wildcard, an unknown type or no header gives the route's
 * default.
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

/** Returns the quality that a caller gives to each media type in its `Accept` header. */
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
