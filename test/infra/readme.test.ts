import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SETTINGS } from '../../lambda/settings.ts';
import { CONTEXT_KEYS } from '../../lib/context.ts';
import { functionIn, observed, ourApp, statements, THREE_AGENTS } from './support.ts';
import { alarmMetrics } from './template-metrics.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** Rows of the table with these headings, cell by cell. */
function rowsOf(...headings: string[]): string[][] {
  const [, table = ''] = readme.split(`| ${headings.join(' | ')} |\n| --- | --- | --- |\n`);
  const rows = table.split('\n\n', 1)[0]?.split('\n') ?? [];
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('has a row for each limit of the function, with its default and its meaning', () => {
  const rows = rowsOf('variable', 'default', 'meaning');

  expect(rows.map(([variable, value]) => `${variable} ${value}`)).toEqual(
    Object.values(SETTINGS).map((setting) => `\`${setting.variable}\` ${setting.default}`),
  );
  for (const [, , meaning = ''] of rows) expect(meaning.length).toBeGreaterThan(5);
});

test('names each context key that is read, and no other', () => {
  const named = rowsOf('CDK context', 'default', 'meaning').flatMap(([keys = '']) =>
    [...keys.matchAll(/`(\w+)`/g)].map(([, key]) => key),
  );

  // One agent stands for all three.
  const missing = CONTEXT_KEYS.filter((key) => !named.includes(key));
  expect(missing.filter((key) => !/^(provisioning|mwc)Agent(Qualifier|Transport)$/.test(key))).toEqual([]);
  expect(named.filter((key) => !CONTEXT_KEYS.includes(key ?? ''))).toEqual([]);
});

test('says what the alarms cost: metrics that they look at, and composite ones', () => {
  const template = observed();
  const [, ...numbers] =
    /; (\d+) metrics in alarms, (\d+) more per agent, and (\d+) composite alarms, one more per agent\s+\(\$([\d.]+) for three agents\)/.exec(
      readme,
    ) ?? [];
  const [all = 0, perAgent = 0, composites = 0, dollars = 0] = numbers.map(Number);

  expect(alarmMetrics(template)).toHaveLength(all + perAgent * THREE_AGENTS.length);
  template.resourceCountIs('AWS::CloudWatch::CompositeAlarm', composites + THREE_AGENTS.length);
  expect(dollars).toBeCloseTo(0.1 * alarmMetrics(template).length + 0.5 * (composites + THREE_AGENTS.length));
});

test('gives callers the policy that the construct’s own grant is', () => {
  const stack = new Stack(ourApp(), 'Test');
  const { subject, template } = functionIn({}, stack);
  const caller = new Role(stack, 'Caller', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  subject.grantInvokeUrl(caller);

  const [, policy = ''] = /```json\n(\{\n {2}"Version"[\s\S]*?)\n```/.exec(readme) ?? [];

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
