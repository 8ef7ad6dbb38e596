import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** A file that was saved so shortly before a build may have been read by it or not. Clocks of files are coarse. */
const MARGIN_MS = 1000;

/** What a build was made from and what it made: a hash of the contents by path, of a folder of its names. */
type Hashes = Record<string, string>;

/**
 * Notes what a build was made from and what it made, unless a source was saved while it ran.
 *
 * @param stamp the file that it is noted in
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

/** Whether everything that the stamp names is as it was; false without a stamp. */
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
