import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type System, startSystem } from '../local/system.ts';
import { FAULT_MATRIX, type FaultCase, matrixSystem, ok, runtimeArn } from './fixtures/fault-matrix.ts';
import { startPuppetAgent } from './fixtures/puppet-agent.ts';
import { invokeSse, newSessionId, until } from './fixtures/sse.ts';

/** Runs every case of the fault matrix and writes what its caller received to docs/reliability.md. */

const FILE = join(import.meta.dirname, '../docs/reliability.md');
/** What stands behind it is written by hand, and stays. */
const END = '<!-- end of the table -->';
const MAX_SHOWN = 40;

const HEAD = `# Reliability

What a caller receives when something breaks, for every case of the fault matrix (\`test/fixtures/fault-matrix.ts\`). The
table is written by \`npm run reliability\` from real answers: the deployed bundle in AWS's runtime client, against the
local data plane over TLS. \`npm test\` asserts each row in three ways: as JSON, and as SSE before and after the commit
point; and after each row that the same process serves on, that no socket is left, that no prompt was sent twice, and
that nothing secret is in a log.

An error before the first text is a status; behind the text it is in-band with status 200. \`retryable\` and \`promptSent\`
are the same in both formats. "text" is what the caller has of the answer.

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

async function asJson(url: string, request: object): Promise<Received> {
  const response = await fetch(`${url}/api/agents/invoke`, { method: 'POST', body: JSON.stringify(request) });
  const body = (await response.json()) as Fields;
  if (response.status !== 200) return received(`status ${response.status}`, body, body.error, '');
  const inBand = body.error as Fields | undefined;
  return received(inBand ? '200, `incomplete`' : '200', inBand ?? {}, inBand?.code, String(body.response));
}

async function asSse(url: string, request: object): Promise<Received> {
  const { status, raw, last, text } = await invokeSse(url, request);
  if (status === 200) return received(last.code ? '200, `error` event' : '200', last, last.code, text);
  const body = JSON.parse(raw) as Fields;
  return received(`status ${status}`, body, body.error, text);
}

function received(how: string, error: Fields, code: unknown, text: string): Received {
  const { retryable, promptSent } = error;
  return { how, code: String(code ?? 'complete'), retryable, promptSent, text };
}

async function rowOf(system: System, name: string, row: FaultCase): Promise<string> {
  const { prompt = ok, agentId = 'puppet', before, fault } = row;
  const answers: Received[] = [];
  for (const ask of [asJson, asSse]) {
    const sessionId = newSessionId();
    if (before) await asJson(system.url, { agentId, prompt: before, sessionId });
    system.dataPlane.fault(runtimeArn, fault);
    answers.push(await ask(system.url, { agentId, prompt, sessionId }));
    system.dataPlane.fault(runtimeArn, undefined);
    await until(() => system.runtime.environments.every(({ state }) => state === 'idle'), 'all is idle');
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
const system = await startSystem(matrixSystem(puppet.target));
try {
  const rows: string[] = [];
  for (const [name, row] of Object.entries(FAULT_MATRIX)) rows.push(await rowOf(system, name, row));
  const [, behind = '\n'] = existing().split(END);
  writeFileSync(FILE, `${HEAD}${rows.join('\n')}\n\n${END}${behind}`);
  console.log(`${rows.length} cases: docs/reliability.md`);
} finally {
  await system.close();
  await puppet.close();
}

function existing(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}
