import { ROOMS } from './rooms.ts';

/**
 * All tests of a room, in one file: to load what they share takes longer than to run them. What one file does before and
 * after each of its tests is done around those of the others, too.
 */
for (const name of ROOMS[process.env.MUTATION_ROOM ?? '']?.tests ?? []) {
  await import(`../unit/${name}.test.ts`);
}
