import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { hostNamed } from '../hosts.ts';
import { type System, startSystem } from '../system.ts';
import { learnAnswers } from './expected.ts';
import { scatterFaults } from './faults.ts';
import { Judge, type Session } from './judge.ts';
import { type Held, heldBy, PROBE, percentile, positive, sleep, table, until } from './probe.ts';
import { takeTurn } from './turn.ts';

const USAGE = `npm run load -- [--seconds 60] [--sessions 200] [--environments 10] [--host function-url]

Drives the local system: so many sessions over so many environments, all three agents and both transports, both
formats, faults on 10 % of the streams. Every prompt holds a canary of its session. With --host server one process takes
as many answers at once as there would be environments, and agents take their time over each.

Exit code 1 when
- an answer is wrong: complete, but not to the letter what the agent says to this prompt after what its session had
  asked before; or broken off, and its text is not the beginning of that;
- an agent has had a prompt twice, or not at all though its answer is complete;
- a canary of another session, or another session's id, is in an answer;
- an answer has no end, an error is of a kind that no fault makes, or there are more errors than faults;
- an environment has died, or holds after the load over 3 MB of heap, 10 listeners or 3 descriptors more than after
  warming up, all counted after a collection, when the service has dropped the connections that were kept.`;

const FAULT_SHARE = 0.1;
const MAX_MORE_HEAP_MB = 3;
const MAX_MORE_LISTENERS = 10;
const MAX_MORE_DESCRIPTORS = 3;
/** The service's limit for a silent connection, shortened: what is kept must be gone before descriptors are counted. */
const DROP_AFTER_MS = 5000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    sessions: { type: 'string', default: '200' },
    environments: { type: 'string', default: '10' },
    host: { type: 'string', default: 'function-url' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const seconds = positive('seconds', values.seconds);
const sessions = positive('sessions', values.sessions);
const environments = positive('environments', values.environments);
const host = hostNamed('--host', values.host);
/** Between two tokens: on a server it is many streams that count, not many answers a second. */
const TOKEN_DELAY_MS = { 'function-url': 1, server: 30 };

const AGENT_IDS = ['onboarding', 'provisioning', 'mwc', 'onboarding-http'];
const all: Session[] = Array.from({ length: sessions }, (_, i) => ({
  id: randomUUID(),
  canary: `canary-${randomUUID()}`,
  agentId: AGENT_IDS[i % AGENT_IDS.length] ?? 'onboarding',
  turns: 0,
  heard: { atLeast: 0, atMost: 0 },
  last: 'nothing',
  busy: false,
}));

/** Takes whichever session is free until the time is up; there are as many of these as environments. */
async function drive(system: System, judge: Judge, until: number): Promise<void> {
  while (performance.now() < until) {
    const free = all.filter(({ busy }) => !busy);
    const session = free[Math.floor(Math.random() * free.length)];
    if (!session) {
      await sleep(5);
      continue;
    }
    session.busy = true;
    session.turns += 1;
    const prompt = `thing ${session.turns} of ${session.canary}`;
    try {
      const format = Math.random() < 0.5 ? 'sse' : 'json';
      const result = await takeTurn(
        system.url,
        { agentId: session.agentId, prompt, sessionId: session.id },
        format,
      );
      judge.answer(session, prompt, result);
    } catch (error) {
      judge.noAnswer(session, error);
    }
    session.busy = false;
  }
}

let problems: string[] = [];
const system = await startSystem({
  host,
  agents: { tokenDelayMs: TOKEN_DELAY_MS[host] },
  overHttp: ['onboarding'],
  runtime: { maxEnvironments: environments, preload: [PROBE] },
  dataPlane: { quotas: { idleTimeoutMs: DROP_AFTER_MS } },
  environment: {
    MAX_RETRIES: '1',
    RETRY_BASE_MS: '20',
    FIRST_CHUNK_TIMEOUT_MS: '20000',
    IDLE_TIMEOUT_MS: '5000',
    PING_INTERVAL_MS: '500',
    // A server that is never stopped keeps its connections by its pings: here it lets go of them itself.
    // Hundreds of streams and all that feeds them share this machine: what is only late is no fault.
    ...(host === 'server' && {
      POOL_MAX_IDLE_MS: String(DROP_AFTER_MS - 1000),
      FIRST_CHUNK_TIMEOUT_MS: '120000',
      IDLE_TIMEOUT_MS: '60000',
      PING_INTERVAL_MS: '4000',
    }),
  },
});
try {
  const judge = new Judge(await learnAnswers(system.url, AGENT_IDS));
  const { errors, firstChunks, totals } = judge;
  problems = judge.problems;
  const runFor = (ms: number) =>
    Promise.all(Array.from({ length: environments }, () => drive(system, judge, performance.now() + ms)));
  const idle = () =>
    until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle', 60_000);
  /** What each environment holds when kept connections are gone: a turn in each, so that each has noticed. */
  const held = async () => {
    for (const { runtimeArn } of system.agents) system.dataPlane.fault(runtimeArn, undefined);
    await idle();
    await sleep(DROP_AFTER_MS + 500);
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(
        system.runtime.environments.map(() =>
          takeTurn(system.url, { agentId: 'provisioning', prompt: 'x', sessionId: randomUUID() }, 'sse'),
        ),
      );
      await idle();
    }
    const all = new Map<number, Held>();
    // By the second time the connections of callers, which the first time ends, are gone, and what the last turns kept.
    for (const environment of system.runtime.environments) await heldBy(environment, system);
    if (host === 'server') await sleep(DROP_AFTER_MS + 500);
    for (const { runtimeArn } of system.agents) scatterFaults(system.dataPlane, runtimeArn, FAULT_SHARE);
    for (const environment of system.runtime.environments) {
      all.set(environment.id, await heldBy(environment, system));
    }
    return all;
  };

  for (const { runtimeArn } of system.agents) scatterFaults(system.dataPlane, runtimeArn, FAULT_SHARE);
  // Code is compiled and pools are filled in the first sixth; growth counts from there.
  await runFor((seconds * 1000) / 6);
  const before = await held();
  const pids = new Map(system.runtime.environments.map(({ id, pid }) => [id, pid]));
  await runFor((seconds * 1000 * 5) / 6);
  const after = await held();

  for (const [id] of pids) if (!after.has(id)) problems.push(`environment ${id} has died`);
  const heapMb = ({ heapUsed }: Held) => heapUsed / 2 ** 20;
  const rows = [
    [
      'environment',
      'invocations',
      'heap MB',
      'after',
      'RSS MB',
      'after',
      'listeners',
      'after',
      'fds',
      'after',
    ],
  ];
  for (const { id, invocations } of system.runtime.environments) {
    const [from, to] = [before.get(id), after.get(id)];
    if (!from || !to) continue;
    const cells = [
      [heapMb(from).toFixed(1), heapMb(to).toFixed(1)],
      [from.rssMb, to.rssMb],
      [from.listeners, to.listeners],
      [from.descriptors ?? '', to.descriptors ?? ''],
    ];
    rows.push([id, invocations, ...cells.flat()].map(String));
    const grown = (what: string, by: number, limit: number) => {
      if (by > limit) problems.push(`environment ${id} has grown by ${what}`);
    };
    grown('heap', heapMb(to) - heapMb(from), MAX_MORE_HEAP_MB);
    grown('listeners', to.listeners - from.listeners, MAX_MORE_LISTENERS);
    grown('descriptors', (to.descriptors ?? 0) - (from.descriptors ?? 0), MAX_MORE_DESCRIPTORS);
  }
  await judge.prompts(all, system.agents);
  const failed = [...errors.values()].reduce((sum, n) => sum + n, 0);
  const { faultsMet } = system.dataPlane;
  if (failed > faultsMet) problems.push(`${failed} errors, and only ${faultsMet} faults`);
  const used = all.filter(({ turns }) => turns > 0).length;
  console.log(
    `${host}: ${seconds} s, ${used} sessions, ${environments} at once, ${judge.right + failed} answers`,
  );
  console.log(`right: ${judge.right}, of which ${judge.recalled} recalled the turn before`);
  const byCode = [...errors].toSorted(([, a], [, b]) => b - a).map(([code, n]) => `${code} ${n}`);
  console.log(
    `errors: ${failed} of ${faultsMet} faults (${((100 * failed) / (judge.right + failed)).toFixed(1)} %): ${byCode.join(', ')}`,
  );
  console.log(`first chunk: p50 ${percentile(firstChunks, 0.5)} ms, p99 ${percentile(firstChunks, 0.99)} ms`);
  console.log(`whole: p50 ${percentile(totals, 0.5)} ms, p99 ${percentile(totals, 0.99)} ms`);
  console.log(table(rows));
} finally {
  await system.close();
}
console.log(
  problems.length === 0 ? 'wrong answers, cross-talk, growth: none' : `${problems.length} problems:`,
);
for (const problem of problems.slice(0, 20)) console.log(`- ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
