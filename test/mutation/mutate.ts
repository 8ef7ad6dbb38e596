import { spawnSync } from 'node:child_process';
import { ROOMS } from './rooms.ts';

const rooms = process.argv.slice(2);
const unknown = rooms.filter((room) => !(room in ROOMS));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: no such room. There are ${Object.keys(ROOMS).join(', ')}.`);
  process.exit(1);
}

for (const room of rooms.length > 0 ? rooms : Object.keys(ROOMS)) {
  console.log(`\n${room}`);
  const { status } = spawnSync(
    process.execPath,
    [
      'test/mutation/node_modules/@stryker-mutator/core/bin/stryker.js',
      'run',
      'test/mutation/stryker.config.js',
    ],
    { stdio: 'inherit', env: { ...process.env, MUTATION_ROOM: room, FUZZ_RUNS: '20' } },
  );
  if (status !== 0) process.exit(status ?? 1);
}
