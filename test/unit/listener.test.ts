import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { listener } from '../../local/listener.ts';

test.each([
  ['throws', () => JSON.parse('{')],
  ['rejects', async () => JSON.parse('{')],
])('what a listener %s with is told with the arguments of its call', async (_how, run) => {
  const emitter = new EventEmitter();
  const told = Promise.withResolvers<unknown[]>();
  emitter.on(
    'request',
    listener<[string, number]>(run, (...failure) => told.resolve(failure)),
  );

  emitter.emit('request', 'a', 1);

  expect(await told.promise).toEqual([expect.objectContaining({ name: 'SyntaxError' }), 'a', 1]);
});
