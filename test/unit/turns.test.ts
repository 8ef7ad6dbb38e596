import { expect, test } from '@jest/globals';
import { Turns } from '../../lambda/hosts/turns.ts';

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

test('of a crowd one begins in each turn of the event loop, in the order of their coming', async () => {
  const turns = new Turns();
  const begun: number[] = [];
  for (let i = 0; i < 3; i += 1) void turns.next().then(() => begun.push(i));

  const seen: number[][] = [];
  while (begun.length < 3) {
    await turnOfLoop();
    seen.push([...begun]);
  }

  expect(begun).toEqual([0, 1, 2]);
  expect(new Set(seen.map(({ length }) => length)).size).toBe(3);
});

test('whoever comes later begins as well', async () => {
  const turns = new Turns();

  await turns.next();
  await turns.next();
  await Promise.all([turns.next(), turns.next()]);
});
