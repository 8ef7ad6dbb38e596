import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stageClient } from './client.ts';
import { stageConstructs } from './constructs.ts';
import { pack } from './staging.ts';

const USAGE = `npm run package -- --out <folder>

Writes the tarballs of agentcore-stream (the constructs) and agentcore-stream-client into a folder.`;

try {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (!values.out) throw new Error(`--out: expected a folder, got nothing\n\n${USAGE}`);
  const out = resolve(values.out);
  for (const stage of [await stageConstructs(), stageClient()]) console.log(pack(stage, out));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
