import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * CPU time of a process and its threads so far, in nanoseconds: /proc/<pid>/stat counts in steps of 10 ms, the
 * scheduler does not.
 *
 * @returns undefined where there is no such file (not Linux)
 */
export function cpuNs(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce(
      (sum, thread) =>
        sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
      0,
    );
  } catch {
    return undefined;
  }
}

/** Resident memory in MiB, and the most there was since {@link forgetPeak}; undefined where there is no /proc. */
export function memoryMiB(pid: number): { now: number; peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
    return { now: field('VmRSS'), peak: field('VmHWM') };
  } catch {
    return undefined;
  }
}

/** @see https://www.kernel.org/doc/html/latest/filesystems/proc.html, clear_refs */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
