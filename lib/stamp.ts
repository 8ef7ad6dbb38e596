import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** A source that was saved less than this before a build may be missing from it, because file times are coarse. */
const MARGIN_MS = 1000;

/** The hash of each file's contents by its path; a folder has the hash of the names in it. */
type Hashes = Record<string, string>;

/**
 * Writes the hashes of a build's sources and results, unless a source was saved while the build ran.
 *
 * @param stamp the file for the hashes
 * @param startedAt when the build began, milliseconds since 1970
 */
export function writeStamp(
  stamp: string,
  { sources, made, startedAt }: { sources: readonly string[]; made: readonly string[]; startedAt: number },
): void {
  if (sources.some((file) => statSync(file).mtimeMs > startedAt - MARGIN_MS)) return;
  const hashes: Hashes = Object.fromEntries([...sources, ...made].map((path) => [path, hashOf(path)]));
  const unfinished = `${stamp}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(hashes));
  renameSync(unfinished, stamp);
}

/** Whether every file and folder of the stamp has the same hash as before; false without a stamp. */
export function isUnchanged(stamp: string): boolean {
  try {
    const hashes = JSON.parse(readFileSync(stamp, 'utf8')) as Hashes;
    return Object.entries(hashes).every(([path, hash]) => hashOf(path) === hash);
  } catch {
    // A file is gone, or there was no build.
    return false;
  }
}

function hashOf(path: string): string {
  const isFolder = statSync(path).isDirectory();
  return createHash('sha256')
    .update(isFolder ? readdirSync(path).sort().join('\n') : readFileSync(path))
    .digest('base64');
}
