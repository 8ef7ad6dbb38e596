import { StreamError } from '../errors.ts';
import { whenWaitingInputIsRead } from './waiting-input.ts';

export interface SilenceOptions {
  /** The longest time from the prompt to the first text. */
  firstChunkTimeoutMs: number;
  /** The longest time between messages after the first text. */
  idleTimeoutMs: number;
  onTimeout: (error: StreamError) => void;
  /** Called once, when the agent sends nothing for 30 s after text: it probably does not mark its end. */
  onNoEndMarker?: () => void;
}

const NO_END_MARKER_MS = 30_000;

export interface SilenceWatch {
  /** A message arrived. */
  heard(): void;
  /** A part of the answer arrived. */
  heardAnswer(): void;
  /** Waits for the reader, and does not count that time as silence of the agent. */
  suspendedDuring(pause: Promise<void>): Promise<void>;
  stop(): void;
}

/**
 * Reports an agent that sends nothing for too long. It compares times now and then, so that a message costs no timer.
 */
export function watchSilence(options: SilenceOptions): SilenceWatch {
  const { firstChunkTimeoutMs, idleTimeoutMs, onTimeout, onNoEndMarker } = options;
  let since = performance.now();
  let hadText = false;
  let suspended = false;
  let reported = onNoEndMarker === undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const limit = () => (hadText ? idleTimeoutMs : firstChunkTimeoutMs);
  const check = () => {
    const silentMs = suspended ? 0 : performance.now() - since;
    if (silentMs >= limit()) {
      const seconds = limit() / 1000;
      const what = hadText ? `sent nothing for ${seconds} s` : `did not begin to answer within ${seconds} s`;
      return onTimeout(new StreamError('AgentTimeout', `the agent ${what}`));
    }
    if (hadText && !reported && silentMs >= NO_END_MARKER_MS) {
      reported = true;
      onNoEndMarker?.();
    }
    const next = hadText && !reported ? Math.min(limit(), NO_END_MARKER_MS) : limit();
    // The wait is at least a millisecond, because timers may fire a millisecond too early.
    checkIn(Math.max(1, next - silentMs));
  };
  const checkIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => whenWaitingInputIsRead(() => stopped || check()), ms);
  };
  checkIn(firstChunkTimeoutMs);

  return {
    heard() {
      // Messages before the first text of the answer do not count.
      if (hadText) since = performance.now();
    },
    heardAnswer() {
      if (hadText) return;
      hadText = true;
      since = performance.now();
      check();
    },
    async suspendedDuring(pause) {
      suspended = true;
      await pause;
      suspended = false;
      since = performance.now();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
