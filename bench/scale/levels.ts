/** How an agent answers one prompt; the prompt is this as JSON. */
export interface Pace {
  messages: number;
  perSecond: number;
}

/** So many streams at once. Fewer messages a second where there are more: one core of client and agent has to follow. */
export interface Level extends Pace {
  streams: number;
}

export const LEVELS: readonly Level[] = [
  { streams: 100, messages: 240, perSecond: 30 },
  { streams: 1000, messages: 75, perSecond: 5 },
  { streams: 4000, messages: 25, perSecond: 1.25 },
];

/**
 * What a server answers before it is measured: the code that the first answers load and compile is no stream's, and a
 * process that carries a thousand streams has long done so.
 */
export const WARM_UP: Level = { streams: 100, messages: 50, perSecond: 30 };

/** What one run of a level came to. */
export interface LevelResult {
  /** Microseconds of CPU of the server by chunk, while all answers are open. */
  cpuUsPerChunk: number;
  /** Milliseconds of CPU of the server by answer, for all that is not its chunks. */
  cpuMsPerAnswer: number;
  /** From the agent's sending to the caller's reading, milliseconds. */
  lagP50Ms: number;
  lagP99Ms: number;
  /** Resident memory beyond that of the idle server, by stream, while all of them are open. */
  kibPerStream: number;
  /** From a request to its first chunk, all having come at once, milliseconds. */
  startP50Ms: number;
  startP99Ms: number;
  /** Answers that did not come whole. */
  broken: number;
}
