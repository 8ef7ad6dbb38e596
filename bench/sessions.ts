import { type System, type SystemOptions, startSystem } from '../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../test/fixtures/puppet-agent.ts';
import { newSessionId } from '../test/fixtures/sse.ts';
import { median } from './statistics.ts';

/** How long the emulated AgentCore takes to start a session. */
const SESSION_START_MS = 1500;
const THINKS_MS = 50;
const ROUNDS = { start: 7, warm: 60, cold: 7 };

const runtimeArn = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Bench-0123456789';
const prompt = script({ sleepMs: THINKS_MS }, { send: 'text' }, { send: '[DONE]' });

/** One row: what is compared, both medians in ms, and what their ratio is to reach. */
interface Row {
  title: string;
  withIt: number[];
  without: number[];
  atMost: number;
}

/**
 * Measures what sessions save and what a store costs, side by side: a started session against a new one, and the same
 * answers with a store and without.
 *
 * @returns whether every target is met
 */
export async function benchSessions(): Promise<boolean> {
  const puppet = await startPuppetAgent();
  try {
    const rows = [await startedAgainstNew(puppet), await warmWithStore(puppet), await coldWithStore(puppet)];
    for (const { title, withIt, without, atMost } of rows) {
      const [a, b] = [median(withIt), median(without)];
      console.log(
        `${title.padEnd(58)} ${a.toFixed(1).padStart(8)} ms  ${b.toFixed(1).padStart(8)} ms  ratio ${(a / b).toFixed(2)} (target ${atMost})`,
      );
    }
    return rows.every(({ withIt, without, atMost }) => median(withIt) / median(without) <= atMost);
  } finally {
    await puppet.close();
  }
}

async function startedAgainstNew(puppet: PuppetAgent): Promise<Row> {
  const system = await start(puppet, { dataPlane: { sessionStartMs: SESSION_START_MS } });
  const [withIt, without]: [number[], number[]] = [[], []];
  await firstChunkMs(system);
  for (let round = 0; round < ROUNDS.start; round += 1) {
    const begun = await fetch(`${system.url}/api/agents/bench/sessions`, { method: 'POST' });
    const { sessionId } = (await begun.json()) as { sessionId: string };
    await isIdle(system);
    withIt.push((await firstChunkMs(system, sessionId)) - THINKS_MS);
    without.push((await firstChunkMs(system)) - THINKS_MS);
  }
  await system.close();
  return { title: 'first chunk of a session: started before | new', withIt, without, atMost: 0.1 };
}

async function warmWithStore(puppet: PuppetAgent): Promise<Row> {
  const [kept, plain] = [await start(puppet, { sessions: true }), await start(puppet, {})];
  const [withIt, without]: [number[], number[]] = [[], []];
  for (let round = -5; round < ROUNDS.warm; round += 1) {
    const [a, b] = [await firstChunkMs(kept), await firstChunkMs(plain)];
    if (round < 0) continue;
    withIt.push(a);
    without.push(b);
  }
  await kept.close();
  await plain.close();
  return {
    title: 'warm first chunk, agent thinks 50 ms: with a store | without',
    withIt,
    without,
    atMost: 1.1,
  };
}

async function coldWithStore(puppet: PuppetAgent): Promise<Row> {
  const [withIt, without]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS.cold; round += 1) {
    for (const [sessions, times] of [
      [true, withIt],
      [false, without],
    ] as const) {
      const system = await start(puppet, { sessions });
      times.push((await firstChunkMs(system)) - THINKS_MS);
      await system.close();
    }
  }
  return { title: 'cold, request to first chunk: with a store | without', withIt, without, atMost: 1.35 };
}

function start({ target }: PuppetAgent, options: SystemOptions): Promise<System> {
  return startSystem({ runtimes: [{ id: 'bench', name: 'BenchAgent', runtimeArn, target }], ...options });
}

/** From the request to the first text, of a new session unless one is given. */
async function firstChunkMs(system: System, sessionId = newSessionId()): Promise<number> {
  const startedAt = performance.now();
  const body = JSON.stringify({ agentId: 'bench', prompt, sessionId });
  const response = await fetch(system.url, { method: 'POST', body });
  const decoder = new TextDecoder();
  let read = '';
  let elapsed: number | undefined;
  for await (const bytes of response.body ?? []) {
    read += decoder.decode(bytes as Uint8Array, { stream: true });
    if (elapsed === undefined && read.includes('"chunk"')) elapsed = performance.now() - startedAt;
  }
  if (elapsed === undefined) throw new Error(`expected an answer with text, got ${read}`);
  await isIdle(system);
  return elapsed;
}

async function isIdle({ runtime }: System): Promise<void> {
  while (!runtime.environments.every(({ state }) => state === 'idle')) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
