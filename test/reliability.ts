import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULT_MATRIX } from './fixtures/fault-matrix.ts';
import { type FaultWorld, ok, runtimeArn, startFaultWorld } from './fixtures/fault-world.ts';
import type { FaultCase } from './fixtures/faults/fault-case.ts';
import { startPuppetAgent } from './fixtures/puppet-agent.ts';
import { newSessionId, readSse } from './fixtures/sse.ts';

/** Runs every case of the fault matrix and writes what its caller received to docs/reliability.md. */

const FILE = join(import.meta.dirname, '../docs/reliability.md');
/** What stands behind it is written by hand, and stays. */
const END = '<!-- end of the table -->';
const MAX_SHOWN = 40;

const HEAD = `# Reliability

What a caller receives when something breaks, for every case of the fault matrix (\`test/fixtures/fault-matrix.ts\`). The
table is written by \`npm run reliability\` from real answers: the deployed bundle in AWS's runtime client, against the
local data plane over TLS. \`npm test\` asserts each row in three ways: as JSON, and as SSE before and after the commit
point; and after each row that the same process serves on, that no listener, timer, socket or file descriptor is left,
that no prompt was sent twice, and that nothing secret is in a log.

An error before the answer has begun is a status; afterwards it is in-band with status 200. The table shows SSE before the
commit point (the first chunk, or 25 s of silence). \`retryable\` and \`promptSent\` are the same in both formats. "text" is
what the caller has of the answer.

| case | as JSON | as SSE | code | retryable | promptSent | text |
| --- | --- | --- | --- | --- | --- | --- |
`;

interface Received {
  how: string;
  code: string;
  retryable: unknown;
  promptSent: unknown;
  text: string;
}

type Fields = Record<string, unknown>;

async function asJson(response: Response): Promise<Received> {
  const body = (await response.json()) as Fields;
  if (response.status !== 200) return received(`status ${response.status}`, body, body.error, '');
  const inBand = body.error as Fields | undefined;
  return received(inBand ? '200, `incomplete`' : '200', inBand ?? {}, inBand?.code, String(body.response));
}

async function asSse(response: Response): Promise<Received> {
  const { status, raw, last, text } = await readSse(response);
  if (status === 200) return received(last.code ? '200, `error` event' : '200', last, last.code, text);
  const body = JSON.parse(raw) as Fields;
  return received(`status ${status}`, body, body.error, text);
}

/** Of a caller that is not there to receive anything: what the log says. */
function asLogged({ code, prompt_sent: promptSent, retryable }: Fields = {}): Received {
  return received('(gone)', { promptSent, retryable }, code, '');
}

function received(how: string, error: Fields, code: unknown, text: string): Received {
  const { retryable, promptSent } = error;
  return { how, code: String(code ?? 'complete'), retryable, promptSent, text };
}

async function rowOf(world: FaultWorld, name: string, row: FaultCase): Promise<string> {
  const { prompt = ok, agentId = 'puppet', before, fault, caller } = row;
  const answers: Received[] = [];
  for (const [path, read] of [
    ['/api/agents/invoke', asJson],
    ['/', asSse],
  ] as const) {
    const sessionId = newSessionId();
    if (before) await (await world.ask(path, { agentId, prompt: before, sessionId }))?.text();
    await world.idle();
    world.dataPlane.fault(runtimeArn, fault);
    await row.breakPath?.(world);
    const response = await world.ask(path, { agentId, prompt, sessionId }, caller);
    const answer = response && (await read(response));
    await world.heal();
    await world.idle();
    answers.push(answer ?? asLogged(world.summaryOf(sessionId)));
  }
  const [json, sse] = answers;
  if (!json || !sse) throw new Error(`${name}: no answer`);
  for (const key of ['code', 'retryable', 'promptSent'] as const) {
    if (json[key] !== sse[key])
      throw new Error(`${name}: ${key} is ${json[key]} as JSON, ${sse[key]} as SSE`);
  }
  const shown = sse.text.length > MAX_SHOWN ? `${sse.text.slice(0, 10)}… (as it came)` : sse.text;
  const yes = (value: unknown) => (value === undefined ? '' : value ? 'yes' : 'no');
  const cells = [name, json.how, sse.how, json.code, yes(json.retryable), yes(json.promptSent)];
  return `| ${[...cells, shown && `\`${shown}\``].join(' | ')} |`;
}

const puppet = await startPuppetAgent();
const shared = await startFaultWorld(puppet);
try {
  const rows: string[] = [];
  for (const [name, row] of Object.entries(FAULT_MATRIX)) {
    const world = row.own ? await startFaultWorld(puppet, {}, row.own) : shared;
    rows.push(await rowOf(world, name, row));
    if (world !== shared) await world.close();
  }
  const [, behind = '\n'] = existing().split(END);
  writeFileSync(FILE, `${HEAD}${rows.join('\n')}\n\n${END}${behind}`);
  console.log(`${rows.length} cases: docs/reliability.md`);
} finally {
  await shared.close();
  await puppet.close();
}

function existing(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}
