import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runtimesOf } from '../../local/runtimes.ts';
import { readOptions } from '../../local/start-options.ts';

const runtimeArn = 'arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/Billing-0123456789';
const billing = { id: 'billing', name: 'BillingAgent', runtimeArn };

const read = (...args: string[]) => readOptions(args, () => false);

/** What a command line is refused with; of one line, as `npm start` prints it. */
function problemOf(...args: string[]): string {
  try {
    read(...args);
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

test.each([
  [['--agent', 'onboarding'], /^--agent: expected <id>=<url> such as .*, got "onboarding"$/],
  [
    ['--agent', 'onboarding=wss://agent.example/ws'],
    /without TLS.*, got "onboarding=wss:\/\/agent.example\/ws"$/,
  ],
  [['--agent', 'onboarding=https://agent.example'], /without TLS/],
  [['--agent'], /--agent/],
  [['--frobnicate'], /frobnicate/],
  [['frobnicate'], /frobnicate/],
  [['-c', 'stage=prod'], /^-c is for --aws: write npm start -- --aws -c …$/],
  [['--session-start-ms', 'soon'], /^--session-start-ms: expected 0 to 999999 milliseconds, got "soon"$/],
  [['--aws', '--session-start-ms', '0'], /^--session-start-ms is for the emulated AgentCore/],
  [
    ['--aws', '--agent', 'billing=ws://127.0.0.1:8080/ws'],
    /^--agent is for a container on this machine: leave it or --aws out$/,
  ],
])('%j is refused with what to write instead', (args, message) => {
  expect(problemOf(...args)).toMatch(message);
});

test.each([
  'app.example',
  'https://app.example/',
  'https://app.example/path',
  '*',
  'null',
  'ftp://app.example',
])('%s is no origin that could be allowed', (option) => {
  expect(problemOf('--allow-origin', option)).toBe(
    `--allow-origin: expected an origin such as https://app.example.com, got "${option}"`,
  );
});

describe('a file of agents', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agents-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function fileOf(content: unknown): string {
    const file = join(folder, 'agents.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '[{', /agents\.json: expected JSON: /],
    [
      'no list',
      { agents: 'billing' },
      /agents\.json: expected a non-empty JSON array of agents, got "billing"$/,
    ],
    ['a key that there is not', [{ ...billing, textpath: 'x' }], /agent "billing": unknown key "textpath"/],
    ['a wrong value', [{ ...billing, framing: 'xml' }], /agent "billing": "framing" expected one of /],
    ['a wrong ARN', [{ ...billing, runtimeArn: 'arn:aws' }], /agent "billing": not a runtime ARN/],
  ])('is refused for %s', (_what, content, message) => {
    expect(problemOf('--agents', fileOf(content))).toMatch(message);
  });

  test('that is not there is named', () => {
    expect(problemOf('--agents', join(folder, 'nowhere.json'))).toMatch(
      /^--agents: .*nowhere\.json cannot be read \(ENOENT\)$/,
    );
  });

  test('may leave the runtimes out where nothing is deployed, and not for agents in AWS', () => {
    const { runtimeArn: _none, ...undeployed } = billing;
    const file = fileOf([undeployed]);

    expect(read('--agents', file).configured).toMatchObject([{ id: 'billing' }]);
    expect(problemOf('--aws', '--agents', file)).toMatch(/agent "billing": "runtimeArn" is missing$/);
  });
});

describe('containers and agents', () => {
  const configured = [billing];

  test('are put together by the id', () => {
    const runtimes = runtimesOf([], { configured, containers: { billing: 'http://127.0.0.1:8080' } });

    expect(runtimes).toEqual([{ ...billing, qualifiers: ['DEFAULT'], target: 'http://127.0.0.1:8080' }]);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'an agent without a container',
      {},
      /^no container for the agent "billing": give it with --agent billing=ws:\/\/127/,
    ],
    [
      'a container of nobody',
      { onboarding: 'http://127.0.0.1:8080' },
      /^no agent "onboarding": expected one of billing$/,
    ],
  ])('are refused for %s', (_what, containers, message) => {
    expect(() => runtimesOf([], { configured, containers })).toThrow(message);
  });
});
