import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { childAbort } from '../../lambda/child-abort.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

test('is aborted with the other signal, for its reason', () => {
  const parent = new AbortController();
  const child = childAbort(parent.signal);

  parent.abort('why');

  expect(child.signal.reason).toBe('why');
  expect(listenersOf(parent.signal)).toBe(0);
});

test('of a signal that is aborted already is aborted as well', () => {
  expect(childAbort(AbortSignal.abort('why')).signal.reason).toBe('why');
});

test('aborts alone, and lets go of the other signal', () => {
  const parent = new AbortController();
  const child = childAbort(parent.signal);

  child.abort('own');

  expect(child.signal.reason).toBe('own');
  expect(parent.signal.aborted).toBe(false);
  expect(listenersOf(parent.signal)).toBe(0);
});

test('released, it lets go of the other signal and is not aborted', () => {
  const parent = new AbortController();
  const child = childAbort(parent.signal);

  child.release();
  parent.abort('late');

  expect(child.signal.aborted).toBe(false);
  expect(listenersOf(parent.signal)).toBe(0);
});
