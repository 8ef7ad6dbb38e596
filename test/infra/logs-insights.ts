import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNBOOK_FILE } from '../../lib/runbook.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** The parts of a Logs Insights query that decide about lines and fields. */
export interface Query {
  /** As Logs Insights would keep it, by every `filter`. */
  matches(line: LogLine): boolean;
  /** Fields of the log that it shows or computes with. */
  readonly fields: readonly string[];
}

/** The queries of an article of the runbook, by its heading; those before the first article have none. */
export function runbookQueries(heading: string): string[][] {
  const runbook = readFileSync(join(import.meta.dirname, '../..', RUNBOOK_FILE), 'utf8');
  const article = runbook
    .split(/^## /m)
    .find((text, i) => (i === 0 ? '' : text.split('\n', 1)[0]) === heading);
  return [...(article ?? '').matchAll(/^```\n(fields [\s\S]*?)^```/gm)].map(([, query = '']) =>
    query.trim().split('\n'),
  );
}

/**
 * Reads a query, one command a line.
 *
 * @throws Error at what the runbook does not use
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
 */
export function parseQuery(lines: readonly string[]): Query {
  const filters: ((line: LogLine) => boolean)[] = [];
  const fields = new Set<string>();
  for (const line of lines) {
    const [, command = '', rest = ''] = /^(?:\| )?(\w+) (.*)$/.exec(line) ?? [];
    if (command === 'filter') filters.push(parseFilter(rest));
    else if (!/^(fields|stats|sort|limit)$/.test(command)) throw new Error(`unknown command: ${line}`);
    if (command === 'fields' || command === 'stats') for (const field of fieldsOf(rest)) fields.add(field);
  }
  return { matches: (line) => filters.every((filter) => filter(line)), fields: [...fields] };
}

/** Names of the log's fields in a list of them, or in functions of them. */
function fieldsOf(list: string): string[] {
  const words = list.replace(/\bas \w+/g, '').match(/(?<![\w.])[a-z_][\w.]*(?![\w.]*\()/gi) ?? [];
  return words.filter((word) => word !== 'by' && !/^(bin|m|timestamp|\d.*)$/.test(word));
}

function parseFilter(text: string): (line: LogLine) => boolean {
  const tokens = text.match(/"[^"]*"|[@\w.]+|!=|=|<|[()[\],]/g) ?? [];
  let at = 0;
  const take = (expected?: string): string => {
    const token = tokens[at] ?? '';
    if (expected !== undefined && token !== expected) {
      throw new Error(`expected "${expected}" in the filter ${text}, got "${token}"`);
    }
    at += 1;
    return token;
  };
  type Condition = (line: LogLine) => boolean;

  const either = (): Condition => {
    let left = both();
    while (tokens[at] === 'or') {
      take();
      const [a, b] = [left, both()];
      left = (line) => a(line) || b(line);
    }
    return left;
  };
  const both = (): Condition => {
    let left = one();
    while (tokens[at] === 'and') {
      take();
      const [a, b] = [left, one()];
      left = (line) => a(line) && b(line);
    }
    return left;
  };
  const one = (): Condition => {
    if (tokens[at] === '(') {
      take();
      const inner = either();
      take(')');
      return inner;
    }
    const field = take();
    if (field === 'ispresent') {
      take('(');
      const name = take();
      take(')');
      return (line) => fieldOf(line, name) !== undefined;
    }
    const operator = take();
    if (operator === 'in') {
      const values: string[] = [];
      take('[');
      while (tokens[at] !== ']') {
        values.push(literal(take()));
        if (tokens[at] === ',') take();
      }
      take(']');
      return (line) => values.includes(fieldOf(line, field) ?? '');
    }
    if (!/^(=|!=|<)$/.test(operator)) throw new Error(`unknown operator "${operator}" in ${text}`);
    const value = literal(take());
    if (operator === '<') return (line) => Number(fieldOf(line, field) ?? Number.NaN) < Number(value);
    return (line) => {
      const came = fieldOf(line, field);
      return came !== undefined && (came === value) === (operator === '=');
    };
  };

  const condition = either();
  if (at !== tokens.length) throw new Error(`"${tokens[at]}" was not expected in the filter ${text}`);
  return condition;
}

/** @throws Error for a bare word: Logs Insights has no booleans and takes it for a field */
function literal(token: string): string {
  if (/^".*"$/.test(token)) return token.slice(1, -1);
  if (/^\d+$/.test(token)) return token;
  throw new Error(`expected a text in quotes or a number, got ${token}`);
}

/** A field by its path, as Logs Insights discovers it: booleans are 1 and 0. */
export function fieldOf(line: LogLine, path: string): string | undefined {
  const value = path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], line);
  if (value === undefined || value === null) return undefined;
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}
