import { ROOMS } from './rooms.ts';

/** All tests of a room, in one file: to load what they share takes longer than to run them. */
for (const name of ROOMS[process.env.MUTATION_ROOM ?? '']?.tests ?? []) {
  await import(`../unit/${name}.test.ts`);
}
