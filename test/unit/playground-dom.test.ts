import { formatBytes, formatExactMs, formatMs } from '../../local/playground/dom.ts';

test.each([
  [0, '0 ms'],
  [840.4, '840 ms'],
  [994.9, '995 ms'],
  [995, '1.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min 0 s'],
  [65_000, '1 min 5 s'],
  [119_700, '2 min 0 s'],
  [3_599_600, '60 min 0 s'],
])('%d milliseconds are shown as %s', (ms, expected) => {
  expect(formatMs(ms)).toBe(expected);
});

test.each([
  [0.4, '0 ms'],
  [1_041.6, '1,042 ms'],
  [65_000, '65,000 ms'],
])('%d milliseconds are shown exactly as %s', (ms, expected) => {
  expect(formatExactMs(ms)).toBe(expected);
});

test.each([
  [512, '512 B'],
  [3_400, '3.4 KB'],
  [999_999, '1.0 MB'],
  [5_000_000, '5.0 MB'],
])('%d bytes are shown as %s', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});
