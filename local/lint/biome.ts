import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installPackages } from '../install-packages.ts';

/** Runs Biome with the arguments given. Its 100 MB, which nothing else needs, are installed where they are not. */
installPackages(import.meta.dirname);
const biome = join(import.meta.dirname, 'node_modules/@biomejs/biome/bin/biome');
const { status, signal, error } = spawnSync(process.execPath, [biome, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
if (status === null) throw error ?? new Error(`Biome ended by ${signal}`);
process.exitCode = status;
