import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { installPackages } from '../local/install-packages.ts';
import { buildContenders, type Contender } from './contenders.ts';
import { judge, type Observations, rowsOf, type Samples } from './figures.ts';
import type { BenchFunction } from './function.ts';
import { benchScale } from './scale/scale.ts';
import { benchSessions } from './sessions.ts';
import { formatTable } from './table.ts';
import { type Bench, TRIALS, type Trial } from './trials.ts';
import { startUpstream } from './upstream.ts';

const USAGE = `npm run bench -- [options], or npm run bench -- scale, or -- sessions
  --json               the result for machines
  --quick              two rounds of shortened inputs: shows that it works, not how fast
  --rounds n           rounds of every trial
  --only a,b           of: ${TRIALS.map(({ id }) => id).join(', ')}
  --contenders a,b     beside raw and empty
  --variant folder     another build of ours, measured beside it
  --check              exit code 1 when a target is missed`;
const QUICK_ROUNDS = 2;

/** Benches with tables of their own. */
const OTHERS: Record<string, () => Promise<unknown>> = { scale: benchScale, sessions: benchSessions };
const other = OTHERS[process.argv[2] ?? ''];

const { values: options } = parseArgs({
  ...(other && { args: [] }),
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    contenders: { type: 'string' },
    variant: { type: 'string' },
  },
});

/** Rounds of one trial, contenders one after the other in each; who begins changes, as does the machine's mood. */
async function runTrial(
  trial: Trial,
  contenders: readonly Contender[],
  bench: Bench,
  note: (figure: string, contender: string, value: number | string) => void,
): Promise<void> {
  const prepared = new Map<string, BenchFunction[]>();
  const rounds = options.rounds ? Number(options.rounds) : bench.quick ? QUICK_ROUNDS : trial.rounds;
  try {
    for (const contender of contenders) {
      prepared.set(contender.name, (await trial.prepare?.(contender, bench)) ?? []);
    }
    for (let round = 0; round < Math.min(rounds, trial.rounds); round += 1) {
      const first = round % contenders.length;
      for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
        const result = await trial.run(contender, bench, prepared.get(contender.name) ?? []);
        for (const [figure, value] of Object.entries(result)) {
          if (value !== undefined) note(figure, contender.name, value);
        }
      }
    }
  } finally {
    for (const one of [...prepared.values()].flat()) one.close();
  }
}

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  const only = options.only?.split(',');
  const unknown = only?.find((id) => !TRIALS.some((trial) => trial.id === id));
  if (unknown !== undefined) throw new Error(`no trial "${unknown}"\n${USAGE}`);
  const wanted = options.contenders?.split(',');

  installPackages(import.meta.dirname);
  const contenders = (await buildContenders(options.variant)).filter(
    ({ name }) => name === 'raw' || name === 'empty' || !wanted || wanted.includes(name),
  );
  const upstream = await startUpstream();
  const bench: Bench = { upstream, quick: options.quick };
  const samples: Samples = {};
  const observations: Observations = {};
  try {
    for (const trial of TRIALS) {
      if (only && !only.includes(trial.id)) continue;
      const taking = contenders.filter(({ name }) =>
        trial.contenders ? trial.contenders.includes(name) : name !== 'empty',
      );
      process.stderr.write(`${trial.id} `);
      await runTrial(trial, taking, bench, (figure, contender, value) => {
        if (typeof value === 'string') {
          observations[figure] = { ...observations[figure], [contender]: value };
        } else {
          const before = samples[figure]?.[contender] ?? [];
          samples[figure] = { ...samples[figure], [contender]: [...before, value] };
        }
      });
    }
  } finally {
    process.stderr.write('\n');
    upstream.close();
  }

  const rows = rowsOf(samples);
  const machine = { node: process.version, cores: availableParallelism(), load: loadavg()[0] };
  if (options.json) console.log(JSON.stringify({ machine, rows, observations, samples }, null, 2));
  else {
    const names = contenders.map(({ name }) => name);
    console.log(`Node ${machine.node}, ${machine.cores} cores, load ${machine.load?.toFixed(1)}\n`);
    console.log(formatTable(rows, observations, names));
  }
  const missed =
    rows.some(({ verdicts }) => verdicts.some(({ met }) => !met)) ||
    [...judge(observations).values()].includes(false);
  if (options.check && missed) process.exitCode = 1;
}

await (other ?? main)();
