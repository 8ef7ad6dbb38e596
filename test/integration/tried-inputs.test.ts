import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type System, type SystemRuntime, startSystem } from '../../local/system.ts';
import { type PuppetAgent, script, startPuppetAgent } from '../fixtures/puppet-agent.ts';
import { RECORDED_ANSWERS } from '../fixtures/recorded-answers.ts';
import { invokeSse } from '../fixtures/sse.ts';
import { promptOf, TRIED_INPUTS } from '../fixtures/tried-inputs.ts';

let puppet: PuppetAgent;
let system: System;

/** A row's entry has an agent of its own. */
const entries = new Map<string, Record<string, unknown>>(
  TRIED_INPUTS.map(({ entry = {} }) => [JSON.stringify(entry), entry]),
);
const agentIdOf = (entry: Record<string, unknown> = {}) =>
  `puppet${[...entries.keys()].indexOf(JSON.stringify(entry)) || ''}`;

beforeAll(async () => {
  puppet = await startPuppetAgent();
  const runtime = (id: string, entry: Record<string, unknown>): SystemRuntime => ({
    id,
    name: id,
    runtimeArn: `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/${id}-0123456789`,
    target: puppet.target,
    ...entry,
  });
  system = await startSystem({
    runtimes: [
      ...[...entries.values()].map((entry) => runtime(agentIdOf(entry), entry)),
      runtime('http', { transport: 'http' }),
    ],
    environment: { IDLE_TIMEOUT_MS: '20000' },
  });
});

afterAll(async () => {
  await system.close();
  await puppet.close();
});

const ask = (agentId: string, prompt: string) => invokeSse(system.url, { agentId, prompt });

describe('what agents really send, through the bundle', () => {
  test.each(TRIED_INPUTS)('$title', async (row) => {
    const { raw, last } = await ask(agentIdOf(row.entry), promptOf(row));

    const written = raw.replaceAll(/^:.*\n/gm, '').split(/(?<=\n\n)/);
    expect(written.slice(1, -1)).toEqual(row.sse);
    expect(last).toMatchObject(row.last);
  });

  test.each(RECORDED_ANSWERS)('$name', async ({ messages, events }) => {
    const steps = messages.map((send) => ({ send }));

    const { text, last, raw } = await ask('puppet', script(...steps, { close: 1000 }));

    const end = events.at(-1)?.type;
    const said = events.filter(({ type }) => type === 'text').map((event) => event.text);
    // Before anything else a failure is a status, and its body one JSON document.
    const code = last.code ?? (raw.startsWith('{') ? JSON.parse(raw).error : undefined);
    expect(text).toBe(said.join(''));
    expect(last.done ?? false).toBe(end === 'end');
    expect(code).toBe(end === 'end' ? undefined : end === 'failure' ? 'AgentFailed' : 'AgentInterrupted');
    expect(last.interrupted ?? false).toBe(events.some(({ type }) => type === 'interrupt'));
  });
});

describe('over /invocations', () => {
  test('lines of JSON', async () => {
    const steps = script(
      { status: 200, contentType: 'application/x-ndjson' },
      { send: '{"chunk":"a"}\n{"ch' },
      { send: 'unk":"b"}\n' },
    );

    const { text, last } = await ask('http', steps);

    expect(text).toBe('ab');
    expect(last).toMatchObject({ done: true });
  });

  test('an empty stream is the failure of the agent', async () => {
    const { status } = await ask('http', script({ status: 200 }));

    expect(status).toBe(502);
  });
});
