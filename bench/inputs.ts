/** What the agent of the bench answers to one prompt; the prompt is this as JSON. */
export interface Scenario {
  messages: number;
  /** Of one message, ASCII. */
  bytes: number;
  /** @default as fast as they are taken */
  perSecond?: number;
  /** How long the agent thinks before the first one. @default 0 */
  firstMs?: number;
  /** How the connection is lost after half of the messages: without a close frame, or with a TCP reset. */
  cut?: 'drop' | 'reset';
}

/** Each figure's input, by name. `quick` ones only show that the bench works. */
export const SCENARIOS = {
  token: { messages: 5, bytes: 60 },
  think50: { messages: 3, bytes: 60, firstMs: 50 },
  pace30: { messages: 90, bytes: 60, perSecond: 30 },
  pace200: { messages: 400, bytes: 60, perSecond: 200 },
  flood: { messages: 20_000, bytes: 60 },
  bulk: { messages: 560, bytes: 60_000 },
  long: { messages: 1120, bytes: 60_000 },
  longInTokens: { messages: 325_000, bytes: 200 },
  warmUp: { messages: 500, bytes: 60 },
  bulkWarmUp: { messages: 50, bytes: 60_000 },
  drop: { messages: 20, bytes: 60, perSecond: 100, cut: 'drop' },
  reset: { messages: 20, bytes: 60, perSecond: 100, cut: 'reset' },
} as const satisfies Record<string, Scenario>;

/** A shorter run of a scenario, for a look at whether everything works. */
export function shortened(scenario: Scenario): Scenario {
  return { ...scenario, messages: Math.max(3, Math.round(scenario.messages / 10)) };
}

export const STAMP_BYTES = 18;
/** Different texts per scenario; they come around again. */
const TEXTS = 16;
const SEED = 20_260_918;
const WORDS = (
  'the a of to and in is for stack account budget region role policy project request cluster network alarm ' +
  'deploy update review quickly safely again today when where after before agent answer session runtime'
).split(' ');

/** Seeded numbers from 0 to 1 (mulberry32): the same ones in every run and on every machine. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The texts of a scenario, each as long as its messages less the stamp; message n has text n modulo their count. */
export function textsOf({ bytes }: Scenario): string[] {
  const next = random(SEED + bytes);
  return Array.from({ length: TEXTS }, () => {
    let text = '';
    while (text.length < bytes - STAMP_BYTES) text += ` ${WORDS[Math.floor(next() * WORDS.length)]}`;
    return text.slice(0, bytes - STAMP_BYTES);
  });
}

/**
 * Microseconds on the machine's monotonic clock. It is the same one in every process, which `performance.now()`
 * is not.
 */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** The time of sending, at the start of each message: `@0000012345678901@`. */
export function stamp(timeUs: number): string {
  return `@${String(timeUs).padStart(STAMP_BYTES - 2, '0')}@`;
}

/**
 * The times in a piece of an answer.
 *
 * @returns also what to put before the next piece: a stamp may be cut between two
 */
export function takeStamps(text: string): { sentAtUs: number[]; rest: string } {
  const sentAtUs: number[] = [];
  let end = 0;
  for (const match of text.matchAll(/@(\d{16})@/g)) {
    sentAtUs.push(Number(match[1]));
    end = match.index + match[0].length;
  }
  return { sentAtUs, rest: text.slice(Math.max(end, text.length - STAMP_BYTES + 1)) };
}
