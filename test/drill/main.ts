import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WATCHED_HOSTS, type WatchedHost } from '../infra/support.ts';
import { drill, fieldsFound, lineFound, recordHealthy, recordIncident, type ToldMessage } from './drill.ts';
import { INCIDENTS, type Incident } from './incidents.ts';
import { problemsOf } from './judge.ts';
import type { Pool } from './traffic.ts';

/** Runs every incident and writes who was told what, when, to docs/reliability.md. */

const FILE = join(import.meta.dirname, '../../docs/reliability.md');
const SEEDS = [1, 2, 3, 4, 5];

const HEAD = `## Drill

    npm run drill

Who is told what when something breaks, and what the log says of it. Each incident is really injected into the local system
(the deployed bundle in AWS's runtime client, and the deployed server; the local data plane), and what its requests emit is
captured. That traffic is played over the alarms of the same host, ${SEEDS.length} times by different dice, at 20 and at 2,000 requests
in 5 minutes on a clock of its own: an hour of health, half an hour of the incident, and what follows. Requests come
independently of each other and are shared evenly by three agents.
Where an incident takes minutes, its limits are 200 times shorter here and the captured times as much longer. The alarms are
those of the synthesized template, evaluated every minute by CloudWatch's rules: sliding windows, M of N, missing data,
metric math, composites and their suppressors (\`test/drill\`). CloudWatch itself adds a minute or so until a metric is there.

Where no host is named, an incident is the same on a Function URL and with \`host=web\`: both tell within the minutes that are
given. \`npm run test:long\` asserts each row: this message, with this reason, in time, and no other; and that in an hour of
healthy traffic with 0.5 % of single failures, whatever they are, no alarm goes off (20 to 2,000 requests in 5 minutes, 146
such hours).

| incident | told at 20 in 5 min | told at 2,000 in 5 min | runbook | its query finds |
| --- | --- | --- | --- | --- |
`;

const healthy: Partial<Record<WatchedHost, Pool>> = {};
for (const host of WATCHED_HOSTS) healthy[host] = await recordHealthy(host);
const rows: string[] = [];
let problems = 0;
for (const [name, incident] of Object.entries(INCIDENTS)) {
  const pools: [WatchedHost, Pool][] = [];
  for (const host of hostsOf(incident)) pools.push([host, await recordIncident(host, incident)]);
  const rates = Object.keys(incident.told).map(Number);
  const cells = rates.map((rate) => toldAt(name, incident, pools, rate));
  // What is seldom asked has one cell that says how seldom.
  const told = cells.length === 2 ? cells : [`${cells[0]} (${rates[0]} in 5 min)`, ''];
  const alone = incident.host === 'web' ? ' (`host=web`)' : incident.host ? ' (Function URL)' : '';
  const [[, pool = {}] = []] = pools;
  rows.push(`| ${[name + alone, ...told, link(incident.article), found(incident, pool)].join(' | ')} |`);
  console.log(rows.at(-1));
}
const [before = ''] = readFileSync(FILE, 'utf8').split('## Drill\n');
const section = `${HEAD}${rows.join('\n')}\n`;
writeFileSync(FILE, `${before.trimEnd()}\n\n${section}`);
console.log(`${rows.length} incidents: docs/reliability.md`);
process.exitCode = problems === 0 ? 0 : 1;

/** Where it can happen. */
function hostsOf({ host }: Incident): readonly WatchedHost[] {
  return host === undefined ? WATCHED_HOSTS : [host];
}

/** Who is told, why and after how many minutes: of all hosts and seeds. */
function toldAt(
  name: string,
  incident: Incident,
  pools: readonly [WatchedHost, Pool][],
  requestsPer5Min: number,
): string {
  const expected = incident.told[requestsPer5Min];
  const all = pools.flatMap(([host, pool]) =>
    SEEDS.map((seed) => {
      const told = drill({
        host,
        healthy: healthy[host] ?? {},
        incident,
        pool,
        requestsPer5Min,
        seed,
      });
      for (const problem of problemsOf(told, expected)) {
        problems += 1;
        console.error(`${name} on ${host}, at ${requestsPer5Min} in 5 min: ${problem}`);
      }
      return told;
    }),
  );
  if (!expected) return 'nobody';
  const messages = all.flatMap(
    (told) => told.find(({ alarm, state }) => alarm === expected.by && state === 'ALARM') ?? [],
  );
  const after = messages.map(({ afterMin }) => afterMin).toSorted((a, b) => a - b);
  const [first, last] = [after[0], after.at(-1)];
  return `\`${readable(expected.by)}\` (${reasons(messages)}) after ${first === last ? first : `${first} to ${last}`} min`;
}

function reasons(messages: readonly ToldMessage[]): string {
  const named = new Set(
    messages.flatMap(({ reason }) => reason.map((alarm) => readable(alarm).replace(/-.*/, ''))),
  );
  return [...named].map((alarm) => `\`${alarm}\``).join(', ');
}

/** `AgentFailsmwc` as it is in an alarm's name. */
function readable(alarm: string): string {
  return alarm.replace(/(onboarding|provisioning|mwc)$/, '-$1');
}

function link(article: string): string {
  return `[${article}](runbook.md#${article.toLowerCase().replaceAll(' ', '-')})`;
}

function found(incident: Incident, pool: Pool): string {
  const line = lineFound(incident, pool);
  if (!line) return 'nothing: refused requests are in no log';
  return Object.entries(fieldsFound(incident, line))
    .map(([field, value]) => `\`${field}\` ${value}`)
    .join(', ');
}
