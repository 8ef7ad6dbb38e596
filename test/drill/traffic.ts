import type { MetricStore } from './metric-store.ts';
import type { Recording } from './recording.ts';

const WINDOW_MS = 5 * 60_000;

/** Recordings by agent, of which requests are drawn. */
export type Pool = Readonly<Record<string, readonly Recording[]>>;

export interface Traffic {
  /** Of all agents together. */
  readonly requestsPer5Min: number;
  readonly healthy: Pool;
  /** In the place of so many of the healthy ones, at any time. */
  readonly singles?: { readonly pool: Pool; readonly share: number };
  /** What is different meanwhile: so many of the requests of these agents. */
  readonly incident?: {
    readonly pool: Pool;
    readonly share: number;
    readonly fromMs: number;
    readonly toMs: number;
  };
  readonly untilMs: number;
}

/** A generator of numbers from 0 to 1 that a seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Plays recordings into a store, on a clock of its own, as users would ask: independently of each other. */
export function play(store: MetricStore, traffic: Traffic, random: () => number): void {
  const { healthy, incident, singles, requestsPer5Min, untilMs } = traffic;
  const agents = Object.keys(healthy);
  const draw = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - random()) * WINDOW_MS) / requestsPer5Min;
    if (atMs >= untilMs) return;
    const agent = draw(agents);
    const isOn = incident && atMs >= incident.fromMs && atMs < incident.toMs && incident.pool[agent];
    let pool = healthy[agent];
    if (isOn && random() < incident.share) pool = incident.pool[agent];
    else if (singles && random() < singles.share) pool = singles.pool[agent];
    for (const { afterMs, sample } of draw(pool ?? []).metrics) store.add(sample, atMs + afterMs);
  }
}
