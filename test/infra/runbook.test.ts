import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOG_FIELDS } from '../../lib/log-fields.ts';
import { ARTICLES } from '../../lib/runbook.ts';

const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
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
test.each([...alarms, ARTICLES.throttles, ARTICLES.incompleteResponses, ARTICLES.functionErrors])(
  'the article %s says what users see, what to look at first with a query, causes in order and what to do',
  (name) => {
    const article = articles.find((text) => anchorOf(text) === name) ?? '';

    expect(article).toMatch(/users/i);
    expect(article).toMatch(/^Look first at [\s\S]+?^```\nfields /m);
    expect(article).toMatch(/^Likely causes/m);
    expect(article).toMatch(/what to do/i);
  },
);

test('queries ask for fields that the function logs', () => {
  const logged: readonly string[] = Object.values(LOG_FIELDS);
  const ofAws = /^(@timestamp|@message|type|record\.\w+(\.\w+)?|error\.message)$/;

  const asked = queries.flatMap(([fields = '']) => fields.replace(/^fields /, '').split(', '));

  expect(queries.length).toBeGreaterThan(7);
  for (const field of asked) expect(logged.includes(field) || ofAws.test(field) ? '' : field).toBe('');
});
