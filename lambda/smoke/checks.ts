import { randomUUID } from 'node:crypto';
import { type Answer, askAgent, parseObject } from './answer.ts';
import type { Send } from './signed-fetch.ts';

export interface SmokeOptions {
  base: URL;
  send: Send;
  /** The prompt for every agent. */
  prompt: string;
  /** The ids of the agents to ask. An empty list stands for all agents that the service lists. */
  agents: readonly string[];
  /** The longest time of one answer. */
  timeoutMs: number;
}

/** The default prompt. Agents may act on prompts, so this one asks them to do nothing. */
export const PROMPT =
  'This is a check of the connection: change nothing, call no tool. Say in three sentences what you can help with.';

/** The result of one check. */
export interface Finding {
  name: string;
  ok: boolean;
  /** What the check saw, or what it expected and what it got. */
  detail: string;
}

/** If all texts of an answer arrive within this time, something has held them back. */
const BURST_MS = 50;

/** If all texts arrive within this share of the answer's time, something has held them back, too. */
const BURST_SHARE = 0.01;

/** If a single network read brings more than this share of the texts, something has held them back, too. */
const MAX_SHARE_OF_ONE_READ = 0.8;

/** The reason why a check failed, for the report. */
class Failed extends Error {}

/** Checks everything that callers rely on, one thing after the other. */
export async function* smoke(options: SmokeOptions): AsyncGenerator<Finding> {
  const { agents } = options;
  yield await check('health', () => health(options));
  let listed: string[] = [];
  yield await check('list', async () => {
    listed = await list(options);
    return `${listed.length} agents: ${listed.join(', ')}`;
  });
  yield await check('unknown agent', () =>
    refusal(options, 404, 'AgentNotFound', 'POST', '/', {
      agentId: 'no-such-agent',
      prompt: options.prompt,
    }),
  );
  yield await check('missing prompt', () =>
    refusal(options, 400, 'BadRequest', 'POST', '/', { agentId: listed[0] ?? 'no-such-agent' }),
  );
  yield await check('wrong method', () =>
    refusal(options, 405, 'MethodNotAllowed', 'PUT', '/api/agents/invoke', {}),
  );
  yield await check('unknown route', () => refusal(options, 404, 'NotFound', 'GET', '/no/such/route'));
  for (const agentId of agents.length > 0 ? agents : listed) {
    yield await checkAgent(options, agentId);
  }
}

/** Checks whether one agent answers chunk by chunk. */
export function checkAgent(options: Omit<SmokeOptions, 'agents'>, agentId: string): Promise<Finding> {
  return check(agentId, () => agent(options, agentId));
}

async function check(name: string, run: () => Promise<string>): Promise<Finding> {
  try {
    return { name, ok: true, detail: await run() };
  } catch (error) {
    return { name, ok: false, detail: explain(error) };
  }
}

/** Explains an error. The message of a network failure says little, so its cause is added. */
function explain(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  if (error instanceof Failed) return error.message;
  const cause = Error.isError(error.cause) ? error.cause : undefined;
  return cause
    ? `${error.message}: ${cause.message || (cause as NodeJS.ErrnoException).code}`
    : error.message;
}

async function health(options: SmokeOptions): Promise<string> {
  const { body, durationMs } = await getJson(options, '/health');
  if (body.status !== 'healthy') throw new Failed(`expected status "healthy", got ${JSON.stringify(body)}`);
  return `healthy, environment ${body.environment}, ${seconds(durationMs)}`;
}

async function list(options: SmokeOptions): Promise<string[]> {
  const { body } = await getJson(options, '/api/agents/list');
  const ids = Array.isArray(body.agents)
    ? body.agents.map((entry: { id?: unknown }) => entry.id).filter((id) => typeof id === 'string')
    : [];
  if (ids.length === 0) throw new Failed(`expected at least one agent, got ${JSON.stringify(body)}`);
  return ids;
}

async function getJson(
  { send, base, timeoutMs }: SmokeOptions,
  path: string,
): Promise<{ body: Record<string, unknown>; durationMs: number }> {
  const startedAt = performance.now();
  const response = await send(new URL(path, base), { signal: AbortSignal.timeout(timeoutMs) });
  const text = await response.text();
  const durationMs = performance.now() - startedAt;
  const [body] = parseObject(text);
  if (response.status !== 200 || !body) throw unexpected('200 with a JSON object', response.status, text);
  return { body, durationMs };
}

async function refusal(
  { send, base, timeoutMs }: SmokeOptions,
  status: number,
  code: string,
  method: string,
  path: string,
  body?: object,
): Promise<string> {
  const response = await send(new URL(path, base), {
    method,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const [answer] = parseObject(text);
  if (response.status !== status || answer?.error !== code) {
    throw unexpected(`${status} ${code}`, response.status, text);
  }
  return `${status} ${code}`;
}

async function agent(
  { send, base, prompt, timeoutMs }: Omit<SmokeOptions, 'agents'>,
  agentId: string,
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const sessionId = `smoke-${randomUUID()}`;
  const answer = await askAgent(send, base, { agentId, prompt, sessionId }, signal).catch((error) => {
    throw signal.aborted ? new Failed(`no end of the answer within ${seconds(timeoutMs)}`) : error;
  });
  if (answer.status !== 200) throw unexpected('200', answer.status, answer.body);
  const last = answer.events.at(-1) ?? {};
  if (typeof last.error === 'string') {
    throw new Failed(
      `${last.code} ${answer.chunks > 0 ? `after ${plural(answer.chunks, 'chunk')}` : 'before any text'}: ${last.error}${hintOf(last)}`,
    );
  }
  if (answer.truncated) throw new Failed(`the answer broke off after ${plural(answer.chunks, 'chunk')}`);
  if (last.done !== true) {
    throw new Failed(`the answer ended without a done event: ${shortened(answer.body) || 'it is empty'}`);
  }
  if (last.chunks !== answer.chunks) {
    throw new Failed(`the service sent ${plural(Number(last.chunks), 'chunk')}, ${answer.chunks} arrived`);
  }
  return flow(answer);
}

/**
 * Checks that text arrives as it is written. Text that arrives all at once was held back by something in between.
 *
 * @returns what was seen
 * @throws Error that says what was seen
 */
export function flow({
  chunks,
  textReads,
  durationMs,
}: Pick<Answer, 'chunks' | 'textReads' | 'durationMs'>): string {
  const first = textReads[0]?.atMs ?? 0;
  const spreadMs = (textReads.at(-1)?.atMs ?? 0) - first;
  const largest = Math.max(0, ...textReads.map((read) => read.chunks));
  const seen = `${plural(chunks, 'chunk')} in ${plural(textReads.length, 'read')} over ${seconds(spreadMs)}, the first after ${seconds(first)}, the end after ${seconds(durationMs)}`;
  if (chunks === 0) throw new Failed(`the answer has no text, after ${seconds(durationMs)}`);
  if (chunks === 1) return `${seen}; one chunk does not tell whether it streams`;
  const advice = "Is the URL's invoke mode RESPONSE_STREAM, is a proxy in between?";
  if (spreadMs < Math.max(BURST_MS, BURST_SHARE * durationMs)) {
    throw new Failed(`one burst: ${seen}. ${advice}`);
  }
  if (largest > MAX_SHARE_OF_ONE_READ * chunks) {
    throw new Failed(`held back: ${seen}; ${largest} of the chunks came in one read. ${advice}`);
  }
  return seen;
}

function unexpected(expected: string, status: number, text: string): Failed {
  const [body] = parseObject(text);
  if (typeof body?.error === 'string' && typeof body.message === 'string') {
    return new Failed(`expected ${expected}, got ${status} ${body.error}: ${body.message}${hintOf(body)}`);
  }
  // A 403 without a body of ours comes from the Function URL itself.
  const hint = status === 403 ? '. The URL wants signed requests: --profile <name> or --iam' : '';
  return new Failed(`expected ${expected}, got ${status}: ${shortened(text)}${hint}`);
}

/** Returns the agent's own error and the service's hint, which for example tells of a missing WebSocket handler. */
function hintOf(body: Record<string, unknown>): string {
  const { details } = body as { details?: { hint?: unknown; agentError?: { message?: unknown } } };
  const reported = typeof details?.agentError?.message === 'string' ? ` (${details.agentError.message})` : '';
  return reported + (typeof details?.hint === 'string' ? `. Hint: ${details.hint}` : '');
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
