import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { ENV } from '../../lambda/contract.ts';
import { SERVER_FOLDER } from '../../lib/bundle.ts';
import { buildServer } from '../../lib/bundling.ts';
import { type ServerProcess, startServerProcess } from '../../local/aws/server-process.ts';
import { LOCAL_CREDENTIALS } from '../../local/system.ts';
import { cpuNs, memoryMiB } from '../process-usage.ts';
import { spreadOf } from '../statistics.ts';
import { AGENT_ARN } from '../upstream.ts';
import type { CallersMessage } from './callers.ts';
import { LEVELS, type Level, type LevelResult, WARM_UP } from './levels.ts';

const ROUNDS = 3;

/** What is measured, in the words of the table, and what the README promises of it. */
const FIGURES: readonly {
  key: keyof LevelResult;
  title: string;
  unit: string;
  target?: (ours: number, raw: number) => { text: string; met: boolean };
}[] = [
  {
    key: 'cpuUsPerChunk',
    title: 'CPU per chunk',
    unit: 'µs',
    target: (ours, raw) => ({ text: '≤ 1.5 × raw', met: ours <= 1.5 * raw }),
  },
  { key: 'cpuMsPerAnswer', title: 'CPU of an answer beside its chunks', unit: 'ms' },
  { key: 'lagP50Ms', title: 'lag, p50', unit: 'ms' },
  {
    key: 'lagP99Ms',
    title: 'lag, p99',
    unit: 'ms',
    target: (ours, raw) => ({ text: '≤ max(60 ms, 4 × raw)', met: ours <= Math.max(60, 4 * raw) }),
  },
  {
    key: 'kibPerStream',
    title: 'memory a stream',
    unit: 'KiB',
    target: (ours) => ({ text: '≤ 128 KiB', met: ours <= 128 }),
  },
  { key: 'startP50Ms', title: 'first chunk of a crowd, p50', unit: 'ms' },
  { key: 'startP99Ms', title: 'first chunk of a crowd, p99', unit: 'ms' },
  {
    key: 'broken',
    title: 'answers that were not whole',
    unit: '',
    target: (ours) => ({ text: 'none', met: ours === 0 }),
  },
];

type Contender = 'raw' | 'ours';

const child = (name: string) =>
  fork(join(import.meta.dirname, name), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

const START: Record<Contender, (endpoint: string) => Promise<ServerProcess>> = {
  raw: (endpoint) =>
    startServerProcess({
      folder: import.meta.dirname,
      entry: 'raw-server.ts',
      environment: { [ENV.ENDPOINT_URL]: endpoint },
    }),
  ours: (endpoint) =>
    startServerProcess({
      folder: SERVER_FOLDER,
      environment: {
        [ENV.AGENTS]: JSON.stringify([{ id: 'bench', name: 'Bench', runtimeArn: AGENT_ARN }]),
        [ENV.ENDPOINT_URL]: endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
        MAX_STREAMS: '10000',
        // Every session is a new one: nothing would be taken again.
        POOL_MAX_CONNECTIONS: '0',
        // A crowd on a machine that is shared waits longer than a caller of AWS.
        CONNECT_TIMEOUT_MS: '30000',
      },
    }),
};

/** One level on a server that has answered before. */
async function run(contender: Contender, level: Level, endpoint: string): Promise<LevelResult> {
  const server = await START[contender](endpoint);
  const callers: ChildProcess = child('callers.ts');
  try {
    callers.send({ url: server.url, level: WARM_UP });
    for (;;) {
      const [{ kind }] = (await once(callers, 'message')) as [CallersMessage];
      if (kind === 'over') break;
    }
    const idleMiB = memoryMiB(server.pid)?.now ?? Number.NaN;
    const idleNs = cpuNs(server.pid) ?? Number.NaN;
    callers.send({ url: server.url, level });
    let openMiB = Number.NaN;
    const marks: { ns: number; chunks: number }[] = [];
    for (;;) {
      const [message] = (await once(callers, 'message')) as [CallersMessage];
      const ns = cpuNs(server.pid) ?? Number.NaN;
      if (message.kind === 'open') openMiB = memoryMiB(server.pid)?.now ?? Number.NaN;
      if (message.kind !== 'over') {
        marks.push({ ns, chunks: message.chunks });
        continue;
      }
      const { kind: _kind, ...seen } = message;
      const [from, to] = marks;
      const cpuUsPerChunk =
        from && to && to.chunks > from.chunks
          ? (to.ns - from.ns) / 1000 / (to.chunks - from.chunks)
          : Number.NaN;
      const chunks = level.streams * level.messages;
      return {
        ...seen,
        cpuUsPerChunk,
        // What is not the chunks': opening, signing, the lines of the log.
        cpuMsPerAnswer: ((ns - idleNs) / 1000 - cpuUsPerChunk * chunks) / 1000 / level.streams,
        kibPerStream: ((openMiB - idleMiB) * 1024) / level.streams,
      };
    }
  } finally {
    callers.kill();
    await server.close();
  }
}

function rowOf(
  level: Level,
  figure: (typeof FIGURES)[number],
  results: Record<Contender, LevelResult[]>,
): string {
  const of = (contender: Contender) => {
    const { median, q1, q3 } = spreadOf(results[contender].map((result) => result[figure.key]));
    return { median, shown: `${digits(median)} [${digits(q1)}–${digits(q3)}]` };
  };
  const [raw, ours] = [of('raw'), of('ours')];
  const target = figure.target?.(ours.median, raw.median);
  return `| ${level.streams} | ${figure.title}${figure.unit ? `, ${figure.unit}` : ''} | ${raw.shown} | ${ours.shown} | ${target ? `${target.text}: ${target.met ? 'met' : 'MISSED'}` : ''} |`;
}

const digits = (value: number) =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value < 10 ? 2 : 1);

/** Streams that one process carries, beside a raw proxy that carries them in the same run. */
export async function benchScale(): Promise<void> {
  await buildServer();
  const agent = child('agent.ts');
  const [endpoint] = (await once(agent, 'message')) as [string];
  const lines = ['| streams | | raw proxy | ours | target |', '|---|---|---|---|---|'];
  try {
    for (const level of LEVELS) {
      const results: Record<Contender, LevelResult[]> = { raw: [], ours: [] };
      for (let round = 0; round < ROUNDS; round += 1) {
        const order: Contender[] = round % 2 === 0 ? ['raw', 'ours'] : ['ours', 'raw'];
        for (const contender of order) {
          results[contender].push(await run(contender, level, endpoint));
          console.error(`${level.streams} streams, round ${round + 1}, ${contender}`);
        }
      }
      lines.push(...FIGURES.map((figure) => rowOf(level, figure, results)));
    }
  } finally {
    agent.kill();
  }
  console.log(lines.join('\n'));
  console.log(
    `\n${ROUNDS} rounds, medians and quartiles; Node.js ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}.`,
  );
}
