import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isUnchanged, writeStamp } from '../../lib/stamp.ts';

let folder: string;
let stamp: string;
const at = (name: string) => join(folder, name);

/** A source of an hour ago, and what was built from it. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stamp-'));
  stamp = at('stamp.json');
  mkdirSync(at('out'));
  writeFileSync(at('source.ts'), 'one');
  writeFileSync(at('out/index.mjs'), 'built');
  const anHourAgo = Date.now() / 1000 - 3600;
  utimesSync(at('source.ts'), anHourAgo, anHourAgo);
});
afterEach(() => rmSync(folder, { recursive: true }));

const build = () =>
  writeStamp(stamp, {
    sources: [at('source.ts')],
    made: [at('out'), at('out/index.mjs')],
    startedAt: Date.now(),
  });

test('a build of which nothing has changed is unchanged', () => {
  build();

  expect(isUnchanged(stamp)).toBe(true);
});

test('without a build nothing is unchanged', () => {
  expect(isUnchanged(stamp)).toBe(false);
});

describe('a build is to be made again', () => {
  test.each([
    ['a source has other contents', () => writeFileSync(at('source.ts'), 'two')],
    ['a source is gone', () => rmSync(at('source.ts'))],
    ['what it made has other contents', () => writeFileSync(at('out/index.mjs'), 'edited')],
    ['what it made is gone', () => rmSync(at('out'), { recursive: true })],
    ['there is another file in a folder that it made', () => writeFileSync(at('out/other.mjs'), '')],
    ['its stamp is no JSON', () => writeFileSync(stamp, '{')],
  ])('where %s', (_what, change) => {
    build();

    change();

    expect(isUnchanged(stamp)).toBe(false);
  });

  test('where a source was saved while it ran', () => {
    writeFileSync(at('source.ts'), 'saved a moment ago');

    build();

    expect(isUnchanged(stamp)).toBe(false);
  });
});
