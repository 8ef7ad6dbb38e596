import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AGENT_ENTRY_KEYS } from '../../lambda/agents.ts';
import { ENV } from '../../lambda/contract.ts';
import { SERVER_ENV, SERVER_SETTINGS } from '../../lambda/hosts/server-config.ts';
import { SETTINGS } from '../../lambda/settings.ts';
import { CONTEXT_KEYS, readContext } from '../../lib/context.ts';
import { stackOnHost } from '../../lib/host-stack.ts';
import { AGENT, code, functionIn, observed, ourApp, statements, THREE_AGENTS } from './support.ts';
import { alarmMetrics } from './template-metrics.ts';

const page = (name: string) => readFileSync(join(import.meta.dirname, '../..', name), 'utf8');
const configuration = page('docs/configuration.md');

/** Rows of the page's table with these headings, cell by cell. */
function rowsOf(text: string, ...headings: string[]): string[][] {
  const [, table = ''] = text.split(new RegExp(`\\| ${headings.join(' \\| ')} \\|\\n(?:\\| ?-+ ?)+\\|\\n`));
  const rows = table.split('\n\n', 1)[0]?.split('\n') ?? [];
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The names of the first column; a row may have several. */
const namesIn = (rows: string[][]) =>
  rows.flatMap(([names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));

test('has a row for each limit of the function, with its default and its meaning', () => {
  const rows = rowsOf(configuration, 'variable', 'default', 'meaning');

  expect(rows.map(([variable, value]) => `${variable} ${value}`)).toEqual(
    Object.values(SETTINGS).map((setting) => `\`${setting.variable}\` ${setting.default}`),
  );
  for (const [, , meaning = ''] of rows) expect(meaning.length).toBeGreaterThan(5);
});

test('names each context key that is read, and no other', () => {
  const named = namesIn(rowsOf(configuration, 'CDK context', 'default', 'meaning'));

  // One agent stands for all three.
  const missing = CONTEXT_KEYS.filter((key) => !named.includes(key));
  expect(missing.filter((key) => !/^(provisioning|mwc)Agent(Qualifier|Transport)$/.test(key))).toEqual([]);
  expect(named.filter((key) => !CONTEXT_KEYS.includes(key ?? ''))).toEqual([]);
});

test('has a row for each key of an agent’s entry, and for no other', () => {
  const rows = rowsOf(configuration, 'key', 'default', 'meaning');

  expect(namesIn(rows).toSorted()).toEqual(AGENT_ENTRY_KEYS.toSorted());
});

test('has a row for each variable that is no limit, and the page of hosts one for each of the server', () => {
  const rows = rowsOf(configuration, 'name', 'default', 'meaning');
  const ofServer = rowsOf(page('docs/hosts.md'), 'variable', 'default', 'meaning');
  const limits = Object.values(SERVER_SETTINGS).map(
    (setting) => `\`${setting.variable}\` \`${setting.default}\``,
  );

  expect(namesIn(rows)).toEqual(Object.values(ENV));
  expect(ofServer.map(([name, value]) => `${name} ${value}`)).toEqual(expect.arrayContaining(limits));
  for (const name of Object.values(SERVER_ENV)) expect(page('docs/hosts.md')).toContain(`\`${name}\``);
});

describe('the README’s table of scenarios', () => {
  const scenarios = rowsOf(page('README.md'), 'scenario', '[^|\\n]*').map(([scenario = '', args = '']) => ({
    scenario,
    context: Object.fromEntries(
      [...args.matchAll(/-c (\w+)=([^\s`]+)/g)].map(([, key, value]) => [key, value]),
    ),
  }));

  test('has the ones that people come with', () => {
    expect(scenarios.map(({ context }) => Object.keys(context)[0])).toEqual([
      ...['allowedOrigins', 'auth', 'distribution', 'host', 'sessions', 'stage'],
    ]);
  });

  // The CDK prints warnings there.
  afterEach(() => jest.restoreAllMocks());

  test.each(scenarios)('$scenario: the line deploys a stack', ({ context }) => {
    jest.spyOn(console, 'error').mockImplementation(() => {});
    const deployment = readContext({ onboardingAgentArn: AGENT.runtimeArn, ...context });

    const stack = stackOnHost(ourApp(), 'Test', { ...deployment, code: code() });

    expect(Object.keys(Template.fromStack(stack).toJSON().Outputs)).not.toEqual([]);
  });
});

test('says what the alarms cost: metrics that they look at, and composite ones', () => {
  const template = observed();
  const [, ...numbers] =
    /; (\d+) metrics in alarms, (\d+) more per agent, and (\d+) composite alarms, one more per agent\s+\(\$([\d.]+) for three agents\)/.exec(
      page('docs/cost.md'),
    ) ?? [];
  const [all = 0, perAgent = 0, composites = 0, dollars = 0] = numbers.map(Number);

  expect(alarmMetrics(template)).toHaveLength(all + perAgent * THREE_AGENTS.length);
  template.resourceCountIs('AWS::CloudWatch::CompositeAlarm', composites + THREE_AGENTS.length);
  const [, ofSessions, fewer] =
    /Where sessions are kept, (\d+) more metrics are in alarms; with `host=web` (\d+) fewer/.exec(
      page('docs/cost.md'),
    ) ?? [];
  const ofServer = alarmMetrics(observed({}, { host: 'web', sessions: 'dynamodb' }));
  expect(ofServer.length - alarmMetrics(template).length).toBe(Number(ofSessions) - Number(fewer));
  expect(dollars).toBeCloseTo(0.1 * alarmMetrics(template).length + 0.5 * (composites + THREE_AGENTS.length));
});

test('gives callers the policy that the construct’s own grant is', () => {
  const stack = new Stack(ourApp(), 'Test');
  const { subject, template } = functionIn({}, stack);
  const caller = new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  subject.grantInvokeUrl(caller);

  const [, policy = ''] = /```json\n(\{\n {2}"Version"[\s\S]*?)\n```/.exec(page('docs/deployment.md')) ?? [];

  const normal = (list: unknown) =>
    JSON.stringify(list, (key, value) => (key === 'Resource' ? 'ARN' : value)).replaceAll('"true"', 'true');
  const granted = statements(template()).filter(({ Action }) => String(Action).startsWith('lambda:'));
  const inOrder = granted.map(({ Effect, Action, Resource, Condition }) => ({
    Effect,
    Action,
    Resource,
    Condition,
  }));
  expect(normal((JSON.parse(policy) as { Statement: unknown }).Statement)).toBe(normal(inOrder));
});
