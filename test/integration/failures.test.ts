import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAULT_MATRIX } from '../fixtures/fault-matrix.ts';
import {
  CANARY,
  type FaultWorld,
  type Leftovers,
  ok,
  runtimeArn,
  startFaultWorld,
} from '../fixtures/fault-world.ts';
import type { FaultCase } from '../fixtures/faults/fault-case.ts';
import { type PuppetAgent, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, type ReceivedAnswer, readSse, until } from '../fixtures/sse.ts';

/** The three ways to be told of a failure, each with an environment of its own; they run side by side. */
const MODES = {
  'as JSON': { path: '/api/agents/invoke', environment: {} },
  'as SSE before the commit point': { path: '/', environment: {} },
  'as SSE after it': { path: '/', environment: { COMMIT_AFTER_MS: '0' } },
};
type Mode = keyof typeof MODES;
const MODE_NAMES = Object.keys(MODES) as Mode[];

const inJson = (text: string) => JSON.stringify(text).slice(1, -1);

/** What no log line may hold, beside the prompt and the answer. */
const SECRETS = [CANARY, 'the tool broke', 'not for you', 'local-secret-access-key', 'local-session-token'];

let puppet: PuppetAgent;
/** A busy machine takes minutes for what a quiet one does in seconds. */
const TEST_LIMIT_MS = 120_000;

/** With what each held before the first case. */
const worlds = new Map<Mode, { world: FaultWorld; before: Leftovers }>();

async function start(mode: Mode, { own }: Pick<FaultCase, 'own'> = {}) {
  const world = await startFaultWorld(puppet, MODES[mode].environment, own);
  return { world, before: await world.leftovers() };
}

beforeAll(async () => {
  puppet = await startPuppetAgent();
  await Promise.all(MODE_NAMES.map(async (mode) => worlds.set(mode, await start(mode))));
});
afterAll(async () => {
  await Promise.all([...worlds.values()].map(({ world }) => world.close()));
  await puppet.close();
});

describe.each(Object.entries(FAULT_MATRIX))('%s', (_name, row) => {
  const outcomes = new Map<Mode, Promise<void>>();
  beforeAll(() => {
    for (const mode of MODE_NAMES) {
      const outcome = inWorldOf(mode, row);
      outcome.catch(() => {});
      outcomes.set(mode, outcome);
    }
  });
  test.each(MODE_NAMES)('%s', (mode) => outcomes.get(mode), TEST_LIMIT_MS);
});

async function inWorldOf(mode: Mode, row: FaultCase): Promise<void> {
  if (!row.own) {
    const started = worlds.get(mode);
    if (started) await drive(started, mode, row);
    return;
  }
  const started = await start(mode, row);
  try {
    await drive(started, mode, row);
  } finally {
    await started.world.close();
  }
}

/** One case from its fault to the next answer, and everything that must hold in between and after it. */
async function drive(
  { world, before }: { world: FaultWorld; before: Leftovers },
  mode: Mode,
  row: FaultCase,
): Promise<void> {
  const { fault, prompt = ok, agentId = 'puppet', status, code, promptSent = false } = row;
  const { dataPlane, network, runtime, url } = world;
  await world.idle();
  const pid = runtime.environments[0]?.pid;
  const sessionId = newSessionId();
  if (row.before) {
    const { last } = await invokeSse(url, { agentId, prompt: row.before, sessionId });
    expect(last).toMatchObject({ done: true });
    await world.idle();
  }
  const asked = dataPlane.requests.length;
  const accepted = network.accepted;
  const logged = world.logs.length;
  const summary = () => world.summaryOf(sessionId);
  dataPlane.fault(runtimeArn, fault);
  await row.breakPath?.(world);

  const response = await world.ask(MODES[mode].path, { agentId, prompt, sessionId }, row.caller);
  if (response) {
    if (mode === 'as JSON') expectJson(response, await response.json(), row, sessionId);
    else expectSse(await readSse(response), mode, row, sessionId);
  }

  // What a stopped process has printed may still be on its way.
  await until(() => summary()?.outcome === code, `the log has the outcome ${code}`);
  await world.heal();
  await world.idle();
  expect(summary()).toMatchObject({ status, session_id: sessionId });
  if (code !== 'complete' && code !== 'cancelled') {
    expect(summary()).toMatchObject({ code, prompt_sent: promptSent });
    expect(['ERROR', 'WARN']).toContain(summary()?.level);
  }
  if (!row.breakPath) expect(dataPlane.requests.length - asked).toBe(row.attempts ?? 1);
  if (row.connections !== undefined) expect(network.accepted - accepted).toBe(row.connections);
  // Never twice; exactly once where it was handed over to an agent.
  const received = puppet.prompts.filter((taken) => taken.sessionId === sessionId).length;
  const reachedAgent = promptSent && !row.isPromptLost && !(fault?.at === 'upgrade' && agentId === 'http');
  expect(received).toBe((reachedAgent ? 1 : 0) + (row.before ? 1 : 0));
  const printed = JSON.stringify(world.logs.slice(logged).map(({ line }) => line));
  for (const secret of [...SECRETS, prompt.slice(0, 100), ...textsOf(row)]) {
    // As a log line holds it, and as this holds the line.
    expect(printed).not.toContain(inJson(inJson(secret)));
  }
  if (row.isStoreLost) {
    const lines = world.logs.slice(logged).filter(({ line }) => line.includes('Session store failed'));
    expect(lines.map(({ line }) => JSON.parse(line).session_id)).toEqual([sessionId]);
  }
  // The same process serves on.
  const next = await invokeSse(url, { agentId: 'puppet', prompt: ok });
  expect(next).toMatchObject({ status: 200, text: CANARY, last: { done: true } });
  await world.idle();
  expect(runtime.environments.map((environment) => environment.pid)).toEqual([pid]);
  // The other end of a half-open connection has not been told.
  if (row.halfOpen) for (const { socket } of dataPlane.connections) socket.destroy();
  await until(() => dataPlane.connections.size === 0, 'no connection is left');
  // No listener, timer, socket or descriptor more than before the first case.
  expect(await world.leftovers()).toEqual(before);
}

function publicErrorOf({ retryAfter, promptSent = false, message }: FaultCase) {
  return {
    retryable: retryAfter !== undefined,
    promptSent,
    message: message ? expect.stringMatching(message) : expect.any(String),
  };
}

const textsOf = ({ text }: FaultCase) => (typeof text === 'string' ? [text.slice(0, 100)] : []);

function expectText(came: unknown, { text = '' }: FaultCase): void {
  const { whole, atLeast } = typeof text === 'string' ? { whole: text, atLeast: text.length } : text;
  expect(String(came).length).toBeGreaterThanOrEqual(atLeast);
  // A difference between strings of millions of characters would fill the log.
  if (whole.length < 1000 && atLeast === whole.length) expect(came).toBe(whole);
  else expect(whole.startsWith(String(came))).toBe(true);
}

function expectJson(
  response: Response,
  body: Record<string, unknown>,
  row: FaultCase,
  sessionId: string,
): void {
  const { agentId = 'puppet', code } = row;
  expect(response.headers.get('x-session-id')).toBe(sessionId);
  if (row.text === undefined) return expectStatus(response, body, row, sessionId);
  expect(response.status).toBe(200);
  const { response: text, ...others } = body;
  expectText(text, row);
  if (code === 'complete') {
    return expect(others).toEqual({ sessionId, agentId, metadata: expect.anything() });
  }
  expect(others).toMatchObject({
    incomplete: true,
    error: { code, ...publicErrorOf(row), ...(row.details && { details: row.details }) },
  });
}

function expectSse(answer: ReceivedAnswer, mode: Mode, row: FaultCase, sessionId: string): void {
  const isStatus = row.text === undefined && mode === 'as SSE before the commit point';
  if (isStatus) expectStatus(answer, JSON.parse(answer.raw), row, sessionId);
  else expectInBand(answer, row, sessionId);
}

function expectStatus(
  response: { status: number; headers: Headers },
  body: object,
  row: FaultCase,
  sessionId: string,
): void {
  const { agentId = 'puppet', retryAfter } = row;
  expect(response.status).toBe(row.status);
  expect(response.headers.get('retry-after')).toBe(retryAfter === undefined ? null : String(retryAfter));
  expect(response.headers.get('x-session-id')).toBe(sessionId);
  expect(body).toMatchObject({
    error: row.code,
    requestId: response.headers.get('x-amzn-requestid'),
    ...publicErrorOf(row),
    details: { agentId, sessionId, ...row.details, ...(retryAfter && { retryAfterSeconds: retryAfter }) },
  });
  if (row.promptSent) {
    expect(body).toHaveProperty('message', expect.stringContaining('The agent may have acted'));
  }
  expectNothingLeaks(JSON.stringify(body));
}

function expectInBand(answer: ReceivedAnswer, row: FaultCase, sessionId: string): void {
  expect(answer.status).toBe(200);
  expect(answer.truncated).toBe(false);
  expect(answer.events[0]?.data).toMatchObject({ start: true, sessionId });
  expectText(answer.text, row);
  if (row.code === 'complete') return expect(answer.last).toMatchObject({ done: true, sessionId });
  const { message, ...publicError } = publicErrorOf(row);
  const retryAfter = row.retryAfter === undefined ? {} : { retryAfterSeconds: row.retryAfter };
  const details = (row.details || row.retryAfter) && { ...row.details, ...retryAfter };
  expect(answer.last).toMatchObject({
    error: message,
    code: row.code,
    ...publicError,
    partial: row.text !== undefined,
    sessionId,
    requestId: answer.headers.get('x-amzn-requestid'),
    ...(details && { details }),
  });
  expectNothingLeaks(JSON.stringify(answer.last));
}

function expectNothingLeaks(text: string): void {
  expect(text).not.toMatch(
    /Canonical|assumed-role|Traceback|\.ts:|node_modules|local-secret|local-session-token|certificate|127\.0\.0\.1|localhost/i,
  );
}
