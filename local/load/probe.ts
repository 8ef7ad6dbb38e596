import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../system.ts';

/** To be among the `preload` of a runtime whose environments are to be asked what they hold. */
export const PROBE = join(import.meta.dirname, 'probe-preload.mjs');

/** What an idle environment holds when everything that can be collected has been. */
export interface Held {
  /** Bytes. */
  heapUsed: number;
  rssMb: number;
  /** Sockets, timers and the like that are active, by Node's name for them. */
  resources: Record<string, number>;
  /** Of the process and of its sockets. */
  listeners: number;
  /** Open files and sockets as the kernel counts them; undefined where there is no /proc. */
  descriptors: number | undefined;
}

type Environment = System['runtime']['environments'][number];

/**
 * Asks an idle environment, which is let run for as long as that takes. Its runtime must preload {@link PROBE}.
 *
 * @param options.collects whether it collects first what can be collected, which takes longer than all else here.
 *   Default: it does
 */
export async function heldBy(
  { id, pid, frozen }: Environment,
  { logs }: Pick<System, 'logs'>,
  { collects = true } = {},
): Promise<Held> {
  const find = () =>
    logs.findLast(({ environment, line }) => environment === id && line.startsWith('{"held":'));
  const last = find();
  process.kill(pid, 'SIGCONT');
  process.kill(pid, collects ? 'SIGUSR2' : 'SIGWINCH');
  await until(() => find() !== last, 'the environment has answered the signal');
  if (frozen) process.kill(pid, 'SIGSTOP');
  const { held } = JSON.parse(find()?.line ?? '') as { held: Omit<Held, 'descriptors'> };
  const descriptors = `/proc/${pid}/fd`;
  return { ...held, descriptors: existsSync(descriptors) ? readdirSync(descriptors).length : undefined };
}

/** The value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
}

export function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A table for a terminal, and for a document. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column]).length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export async function until(condition: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(5);
  }
}

/** The value of an option such as --seconds. @throws Error that says what to write instead */
export function positive(name: string, came: string): number {
  const value = Number(came);
  if (!/^\d{1,6}(\.\d+)?$/.test(came) || value <= 0) {
    throw new Error(`--${name}: expected a positive number, got "${came}"`);
  }
  return value;
}
