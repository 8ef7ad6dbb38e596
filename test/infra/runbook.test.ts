import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAILURES_BY_CAUSE, LOG_FIELDS } from '../../lib/log-fields.ts';
import { ARTICLES, RUNBOOK_FILE } from '../../lib/runbook.ts';

const root = join(import.meta.dirname, '../..');
const runbook = readFileSync(join(root, RUNBOOK_FILE), 'utf8');
const articles = runbook.split(/^## /m).slice(1);

/** As GitHub makes an anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}

const anchorOf = (article: string) => anchor(article.split('\n')[0] ?? '');

/** The Logs Insights queries, one array of lines each. */
const queries = [...runbook.matchAll(/^```\n(fields [\s\S]*?)^```/gm)].map(([, query = '']) =>
  query.trim().split('\n'),
);

test('every alarm’s link leads to an article, and every article is linked', () => {
  expect(articles.map(anchorOf).sort()).toEqual(Object.values(ARTICLES).sort());
});

test('links inside lead to an article', () => {
  const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link);

  expect(links.length).toBeGreaterThan(5);
  for (const link of links) expect(Object.values(ARTICLES)).toContain(link);
});

const alarms = [ARTICLES.errorRate, ARTICLES.slowFirstChunk, ARTICLES.connectionFailures, ARTICLES.timeouts];
test.each([
  ...alarms,
  ARTICLES.throttles,
  ARTICLES.incompleteResponses,
  ARTICLES.functionErrors,
  ARTICLES.cannotStart,
  ARTICLES.uncaught,
  ARTICLES.sessionStore,
  ARTICLES.oneAgentFails,
  ARTICLES.hangs,
  ARTICLES.lowTraffic,
  ARTICLES.probe,
  ARTICLES.degraded,
  ARTICLES.slowConnections,
])(
  'the article %s says what users see, what to look at first with a query, causes in order and what to do',
  (name) => {
    const article = articles.find((text) => anchorOf(text) === name) ?? '';

    expect(article).toMatch(/users/i);
    expect(article).toMatch(/^Look first at [\s\S]+?^```\nfields /m);
    expect(article).toMatch(/^Likely causes/m);
    expect(article).toMatch(/what to do/i);
  },
);

test.each([
  ['did not begin to answer within'],
  ['sent nothing for'],
  ['did not accept the connection within'],
  ['exceeded its time limit'],
  ['connecting to the agent took over'],
  ['AgentCore timed out'],
])('the article on timeouts explains the reason "%s", which the function gives', (reason) => {
  expect(articles.find((text) => anchorOf(text) === ARTICLES.timeouts)).toContain(`"${reason}"`);
  expect(sources(join(root, 'lambda')).join('\n')).toContain(reason);
});

test.each([
  ['the store did not answer in time'],
  ['another answer runs, and the store said so only after the prompt was sent'],
  ['the table does not take everything that is written'],
  ['the store is slower than the answer'],
])('the article on the session store explains "%s", which is an error of it', (message) => {
  const article = articles.find((text) => anchorOf(text) === ARTICLES.sessionStore) ?? '';

  expect(article.replace(/\s+/g, ' ')).toContain(`"${message}"`);
  expect(sources(join(root, 'lambda/sessions')).join('\n')).toContain(`'${message}'`);
});

test('names no widget of the dashboard that is not there', () => {
  const dashboard = sources(join(root, 'lib')).join('\n');

  for (const name of [
    'Failures by agent, code and reason',
    'callers that stopped reading',
    'Concurrent streams',
    'Active sessions of the account',
    'Function URL',
    'answers that the session store missed',
  ]) {
    expect(runbook.replaceAll('\n', ' ').replace(/ +/g, ' ')).toContain(`"${name}"`);
    expect(dashboard).toContain(`'${name}'`);
  }
});

test('explains every field of its first query, and shows in it every field that it explains', () => {
  const [beginning = ''] = runbook.split(/^## /m);
  const [shown = ''] = queries[0] ?? [];

  const asked = shown.replace('fields ', '').split(', ');
  const explanation = beginning.split('What the fields say')[1] ?? '';
  const named = [...explanation.matchAll(/`(\w+)`/g)].map(([, word]) => word as string);
  const fields: readonly string[] = Object.values(LOG_FIELDS);
  expect(named.filter((word) => fields.includes(word) && !asked.includes(word))).toEqual(['error']);
  expect(
    asked.filter((field) => field !== '@timestamp' && field !== 'message' && !named.includes(field)),
  ).toEqual([]);
});

test('names every message that the last line of a request may have', () => {
  const summary = readFileSync(join(root, 'lambda/telemetry/summary.ts'), 'utf8');
  const messages = [...summary.matchAll(/'((?:Answer|Request) \w+)'/g)].map(([, message]) => message);

  expect(messages.length).toBeGreaterThan(5);
  const [beginning = ''] = runbook.split(/^## /m);
  for (const message of messages) expect(beginning).toContain(`"${message}"`);
});

test('has the query of the dashboard’s table of failures', () => {
  const [fields, ...commands] = FAILURES_BY_CAUSE.slice(0, -1);

  expect(runbook).toContain(['```', fields, ...commands.map((command) => `| ${command}`), '```'].join('\n'));
});

describe('the queries', () => {
  const logged: readonly string[] = Object.values(LOG_FIELDS);
  const ofAws = /^(@timestamp|@message|type|record\.\w+(\.\w+)?|message\.errorMessage)$/;
  const words =
    /^(and|or|in|not|like|count|latest|avg|sum|pct|bin|ispresent|as|by|asc|desc|fields|filter|stats|sort|limit)$/;
  const text = /"([^"]*)"/g;

  test.each(queries.map((query) => [query.join(' ')]))('%s\n  asks for what is logged', (query) => {
    const whole = (word: string) => word.replace(/^error\.(name|message|stack)$/, 'error');
    const named = [...query.matchAll(/\bas (\w+)/g)].map(([, name]) => name);
    const asked = query.replace(text, '').match(/(?<![\w.])@?[a-z][\w.]*/gi) ?? [];

    const unknown = asked.filter(
      (word) =>
        !(words.test(word) || named.includes(word) || logged.includes(whole(word)) || ofAws.test(word)) &&
        !/^5m$/.test(word),
    );

    expect(unknown).toEqual([]);
  });

  test('compare with messages and codes that the function writes', () => {
    const source = sources(join(root, 'lambda')).join('\n');
    const ofLambda = /^(platform\.\w+|success|ERROR|the requestId of the error|the agent's id)$/;

    const compared = queries.flatMap((query) =>
      [...query.join('\n').matchAll(text)].map(([, value = '']) => value),
    );

    expect(compared.length).toBeGreaterThan(8);
    for (const value of compared)
      expect(ofLambda.test(value) || source.includes(`'${value}'`) ? '' : value).toBe('');
  });

  test('ask for fields that stand in the function’s sources', () => {
    const source = sources(join(root, 'lambda')).join('\n');
    const ofPowertools: readonly string[] = [LOG_FIELDS.level, LOG_FIELDS.message];

    const missing = logged.filter(
      (field) => !ofPowertools.includes(field) && !new RegExp(`\\b${field}\\b`).test(source),
    );

    expect(missing).toEqual([]);
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
}
