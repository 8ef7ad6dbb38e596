import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type System, startSystem } from '../system.ts';
import { type Held, heldBy, PROBE, percentile, positive, sleep, table, until } from './probe.ts';
import { takeTurn } from './turn.ts';

const USAGE = `npm run soak -- --minutes N

One environment, stopped between invocations as Lambda does it: turns of 20 sessions for N minutes (at least 2), with one
freeze of 70 s in the middle, over which the service drops every connection (its limit is 60 s). Its limit of frames per
second is off.

Exit code 1 when
- an answer is not complete and right, or the environment is not the one that it began with;
- nothing was dropped over the long freeze, or the turn after it was not answered at once;
- in the second half the heap, collected, grows by more than 1 MB, listeners by more than 20, or descriptors by more
  than 3, each kept connection more allowing for one descriptor and 20 listeners.`;

const FREEZE_MS = 70_000;
const SESSIONS = 20;
const MAX_MORE_HEAP_MB = 1;
const MAX_MORE_LISTENERS = 20;
const MAX_MORE_DESCRIPTORS = 3;
/** Lambda may let an environment stand for any time; these are milliseconds. */
const SHORT_FREEZES_MS = [0, 0, 0, 5, 20, 150];

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const minutes = positive('minutes', values.minutes);

type Sample = Held & { what: string; invocations: number; connections: number };

const sessions: string[] = Array.from({ length: SESSIONS }, () => randomUUID());
/** Every fourth session's agent is reached by its entrypoint. */
const agentOf = (sessionId: string) =>
  sessions.indexOf(sessionId) % 4 === 3 ? 'provisioning-http' : 'provisioning';
const problems: string[] = [];
const samples: Sample[] = [];
const totals: number[] = [];
let turns = 0;

async function turn(system: System, sessionId: string): Promise<number> {
  turns += 1;
  const prompt = `thing ${turns} of ${sessionId}`;
  const format = turns % 2 === 0 ? 'sse' : 'json';
  const { text, code, whole, totalMs } = await takeTurn(
    system.url,
    { agentId: agentOf(sessionId), prompt, sessionId },
    format,
  );
  if (code !== undefined || !whole || !text.endsWith(`The stack for "${prompt}" is complete.\n`)) {
    problems.push(`turn ${turns}: ${code ?? 'a wrong answer'}`);
  }
  await idle(system);
  return totalMs;
}

const idle = (system: System) =>
  until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'it is idle');

async function soakUntil(system: System, end: number): Promise<void> {
  while (performance.now() < end) {
    const sessionId = sessions[Math.floor(Math.random() * SESSIONS)] ?? '';
    totals.push(await turn(system, sessionId));
    await sleep(SHORT_FREEZES_MS[turns % SHORT_FREEZES_MS.length] ?? 0);
  }
}

async function sample(system: System, what: string): Promise<void> {
  const [environment] = system.runtime.environments;
  if (!environment) throw new Error('the environment is gone');
  samples.push({
    ...(await heldBy(environment, system)),
    what,
    invocations: environment.invocations,
    connections: system.dataPlane.connections.size,
  });
}

const system = await startSystem({
  agents: { tokenDelayMs: 0, only: ['provisioning'] },
  overHttp: ['provisioning'],
  // Twenty sessions ask a hundred times a second: no person does, and the service would close at 250 frames.
  dataPlane: { quotas: { maxFramesPerSecond: Number.POSITIVE_INFINITY } },
  runtime: { maxEnvironments: 1, preload: [PROBE] },
});
try {
  const startedAt = performance.now();
  const soakMs = Math.max(10_000, minutes * 60_000 - FREEZE_MS);
  await turn(system, sessions[0] ?? '');
  const pid = system.runtime.environments[0]?.pid;
  await soakUntil(system, startedAt + soakMs / 6);
  await sample(system, 'warmed up');
  await soakUntil(system, startedAt + soakMs / 2);
  await sample(system, 'before the freeze');
  await sleep(FREEZE_MS);
  if (system.dataPlane.connections.size > 0) problems.push('nothing was dropped over the long freeze');
  const afterFreezeMs = await turn(system, sessions[0] ?? '');
  if (afterFreezeMs > 2000)
    problems.push(`the turn after the long freeze took ${Math.round(afterFreezeMs)} ms`);
  await sample(system, 'after the freeze');
  await soakUntil(system, startedAt + soakMs + FREEZE_MS);
  await sample(system, 'at the end');

  if (system.runtime.environments[0]?.pid !== pid) problems.push('the environment was replaced');
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  console.log(`${minutes} min, one environment, ${turns} turns of ${SESSIONS} sessions`);
  console.log(`whole: p50 ${percentile(totals, 0.5)} ms, p99 ${percentile(totals, 0.99)} ms`);
  console.log(`after the ${FREEZE_MS / 1000} s freeze: ${Math.round(afterFreezeMs)} ms`);
  console.log(
    table([
      ['', 'invocations', 'heap MB', 'RSS MB', 'listeners', 'TCP sockets', 'timers', 'fds', 'kept'],
      ...samples.map(
        ({ what, invocations, heapUsed, rssMb, listeners, resources, descriptors, connections }) => [
          what,
          invocations,
          mb(heapUsed),
          rssMb,
          listeners,
          resources.TCPSocketWrap ?? 0,
          resources.Timeout ?? 0,
          descriptors ?? '',
          connections,
        ],
      ),
    ]),
  );
  // Before and after with the same number of kept connections: each costs a socket and its listeners.
  const [, first, , last] = samples;
  if (first && last) {
    const more = last.connections - first.connections;
    if (last.heapUsed - first.heapUsed > MAX_MORE_HEAP_MB * 2 ** 20) problems.push('the heap has grown');
    const perConnection = Math.max(0, more) * MAX_MORE_LISTENERS;
    if (last.listeners - first.listeners > MAX_MORE_LISTENERS + perConnection)
      problems.push('listeners have grown');
    if ((last.descriptors ?? 0) - (first.descriptors ?? 0) > MAX_MORE_DESCRIPTORS + Math.max(0, more)) {
      problems.push('descriptors have grown');
    }
  }
} finally {
  await system.close();
}
console.log(problems.length === 0 ? 'wrong answers, growth: none' : `${problems.length} problems:`);
for (const problem of problems.slice(0, 20)) console.log(`- ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
