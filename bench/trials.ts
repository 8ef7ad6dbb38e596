import { randomUUID } from 'node:crypto';
import { bundleKiB, type Contender } from './contenders.ts';
import { type Answer, type AskOptions, BenchFunction } from './function.ts';
import { SCENARIOS, type Scenario, shortened } from './inputs.ts';
import { forgetPeak, memoryMiB } from './process-usage.ts';
import { median, quantile } from './statistics.ts';
import type { UpstreamUrls } from './upstream.ts';

/** What one trial of one contender gave: figures by id, or words. */
export type Result = Record<string, number | string | undefined>;

export interface Bench {
  upstream: UpstreamUrls;
  quick: boolean;
}

/** One kind of experiment; it gives one or more figures. */
export interface Trial {
  id: string;
  rounds: number;
  /** Who takes part. @default everyone but `empty` */
  contenders?: readonly string[];
  /** Once per contender before the rounds; what it returns is closed after them. */
  prepare?(contender: Contender, bench: Bench): Promise<BenchFunction[]>;
  run(contender: Contender, bench: Bench, prepared: BenchFunction[]): Promise<Result>;
}

const WARM_UPS = 5;
const CONCURRENT = 10;
const READER_BYTES_PER_SECOND = 8_000_000;

const sized = (scenario: Scenario, { quick }: Bench) => (quick ? shortened(scenario) : scenario);

/** Functions that have answered before: compiled code, open sockets to the Runtime API. */
async function warm(
  contender: Contender,
  endpoint: string,
  freeze: boolean,
  count = 1,
): Promise<BenchFunction[]> {
  const functions = Array.from({ length: count }, () =>
    new BenchFunction(contender, { endpoint, freeze }).start(),
  );
  for (const one of functions) {
    for (let i = 0; i < WARM_UPS; i += 1) await one.ask(i === 0 ? SCENARIOS.warmUp : SCENARIOS.token);
    await one.idle();
  }
  return functions;
}

async function askFirst(
  functions: BenchFunction[],
  scenario: Scenario,
  options?: AskOptions,
): Promise<Answer> {
  const [one] = functions;
  if (!one) throw new Error('nothing was prepared');
  return one.ask(scenario, options);
}

/** Lag of each message, and CPU of the chunk path, at a pace. */
function pace(id: string, scenario: Scenario, rounds: number): Trial {
  return {
    id,
    rounds,
    prepare: (contender, { upstream }) => warm(contender, upstream.near, true),
    async run(_contender, bench, prepared) {
      const paced = sized(scenario, bench);
      const { lagsMs, restCpuMs } = await askFirst(prepared, paced, { readStamps: true });
      return {
        [`${id}-p50`]: quantile(lagsMs, 0.5),
        [`${id}-p99`]: quantile(lagsMs, 0.99),
        [`${id}-cpu`]: perThousand(restCpuMs, paced),
      };
    },
  };
}

function perThousand(cpuMs: number | undefined, { messages }: Scenario): number | undefined {
  return cpuMs === undefined ? undefined : (cpuMs / messages) * 1000;
}

/** How much the process grows while a long answer waits for its reader. */
function memory(id: string, scenario: Scenario): Trial {
  return {
    id,
    rounds: 3,
    contenders: ['raw', 'ours', 'variant'],
    async run(contender, bench) {
      const [one] = await warm(contender, bench.upstream.near, false);
      if (!one) return {};
      const before = memoryMiB(one.pid);
      if (before) forgetPeak(one.pid);
      await one.ask(sized(scenario, bench), { bytesPerSecond: READER_BYTES_PER_SECOND });
      const after = memoryMiB(one.pid);
      one.close();
      return { [id]: before && after && after.peak - before.now };
    },
  };
}

/** What is left of an answer, and of the process, when the agent's connection is lost half way. */
function cut(id: string, scenario: Scenario): Trial {
  return {
    id,
    rounds: 1,
    async run(contender, { upstream }) {
      const one = new BenchFunction(contender, { endpoint: upstream.near, freeze: false }).start();
      const answer = await one.ask(scenario, { keepText: true, readStamps: true });
      // A process that dies of it does so a little later.
      await new Promise((resolve) => setTimeout(resolve, 300));
      const lives = one.isAlive;
      one.close();
      return { [`${id}-caller`]: describeCut(answer, scenario), [`${id}-process`]: lives ? 'lives' : 'dies' };
    },
  };
}

export const TRIALS: readonly Trial[] = [
  {
    id: 'bundle',
    rounds: 1,
    run: async (contender) => ({
      bundle: bundleKiB(contender, ['index.mjs']),
      'bundle-all': bundleKiB(contender, ['index.mjs', 'powertools.mjs']),
    }),
  },
  {
    id: 'init',
    // What is left over an empty handler is a quarter of what is measured, and noise with it.
    rounds: 61,
    contenders: ['raw', 'ours', 'variant', 'signer', 'hono', 'powertools', 'sdk', 'empty'],
    async run(contender, { upstream }) {
      const one = new BenchFunction(contender, { endpoint: upstream.near, freeze: false }).start();
      const init = await one.initMs;
      one.close();
      return { init };
    },
  },
  {
    id: 'cold',
    rounds: 21,
    async run(contender, { upstream }) {
      const one = new BenchFunction(contender, { endpoint: upstream.near, freeze: false }).start();
      const { firstChunkAtUs, afterMs } = await one.ask(SCENARIOS.token);
      one.close();
      return { cold: one.sinceSpawnMs(firstChunkAtUs), 'cold-after': afterMs };
    },
  },
  {
    id: 'warm',
    rounds: 15,
    prepare: (contender, { upstream }) => warm(contender, upstream.near, true),
    async run(_contender, { quick }, prepared) {
      const answers: Answer[] = [];
      for (let i = 0; i < (quick ? 1 : 5); i += 1) answers.push(await askFirst(prepared, SCENARIOS.think50));
      return {
        'warm-byte': median(answers.map(({ firstByteMs }) => firstByteMs)),
        'warm-chunk': median(answers.map(({ firstChunkMs }) => firstChunkMs)),
      };
    },
  },
  pace('pace30', SCENARIOS.pace30, 5),
  pace('pace200', SCENARIOS.pace200, 9),
  {
    id: 'flood',
    rounds: 9,
    prepare: (contender, { upstream }) => warm(contender, upstream.near, true),
    async run(_contender, bench, prepared) {
      const flood = sized(SCENARIOS.flood, bench);
      const { restCpuMs } = await askFirst(prepared, flood);
      return { 'flood-cpu': perThousand(restCpuMs, flood) };
    },
  },
  {
    id: 'bulk',
    rounds: 9,
    async prepare(contender, { upstream }) {
      const prepared = await warm(contender, upstream.near, true);
      await askFirst(prepared, SCENARIOS.bulkWarmUp);
      return prepared;
    },
    async run(_contender, bench, prepared) {
      const bulk = sized(SCENARIOS.bulk, bench);
      const { restMs } = await askFirst(prepared, bulk);
      return { throughput: (bulk.messages * bulk.bytes) / 1000 / restMs };
    },
  },
  memory('memory', SCENARIOS.long),
  memory('memory-tokens', SCENARIOS.longInTokens),
  {
    id: 'second-turn',
    rounds: 9,
    prepare: (contender, { upstream }) => warm(contender, upstream.far, true),
    async run(_contender, _bench, prepared) {
      const sessionId = randomUUID();
      await askFirst(prepared, SCENARIOS.token, { sessionId });
      const { firstChunkMs } = await askFirst(prepared, SCENARIOS.token, { sessionId });
      return { 'second-turn': firstChunkMs };
    },
  },
  {
    id: 'concurrent',
    rounds: 3,
    async run(contender, bench) {
      const functions = await warm(contender, bench.upstream.near, true, bench.quick ? 2 : CONCURRENT);
      const paced = sized(SCENARIOS.pace30, bench);
      const answers = await Promise.all(functions.map((one) => one.ask(paced, { readStamps: true })));
      for (const one of functions) one.close();
      const lagsMs = answers.flatMap((answer) => answer.lagsMs);
      return { 'concurrent-p50': quantile(lagsMs, 0.5), 'concurrent-p99': quantile(lagsMs, 0.99) };
    },
  },
  cut('drop', SCENARIOS.drop),
  cut('reset', SCENARIOS.reset),
];

function describeCut({ lagsMs, text, broke, outcome }: Answer, { messages }: Scenario): string {
  const got = `${lagsMs.length} of ${messages} chunks`;
  if (/error/i.test(text)) return `${got}, an error`;
  if (broke || outcome !== 'success') return `${got}, broken off`;
  return `${got}, no error`;
}
