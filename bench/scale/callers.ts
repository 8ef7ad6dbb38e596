import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { nowUs, takeStamps } from '../inputs.ts';
import { quantile } from '../statistics.ts';
import type { Level } from './levels.ts';

// Run by scale.ts as a process of its own: all callers of a level, who come at once.

/** What scale.ts is told. */
export type CallersMessage =
  /** All have their first chunk; or the first one has its last. With how many chunks were read so far. */
  | { kind: 'open' | 'ending'; chunks: number }
  | {
      kind: 'over';
      lagP50Ms: number;
      lagP99Ms: number;
      startP50Ms: number;
      startP99Ms: number;
      broken: number;
    };

const tell = (message: CallersMessage) => process.send?.(message);

process.on('message', async ({ url, level }: { url: string; level: Level }) => {
  const { streams, messages, perSecond } = level;
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  const lags: number[] = [];
  const starts: number[] = [];
  let begun = 0;
  let isEnding = false;
  const call = () =>
    new Promise<boolean>((resolve) => {
      const startedAt = performance.now();
      let seen = 0;
      let rest = '';
      const body = JSON.stringify({
        agentId: 'bench',
        prompt: JSON.stringify({ messages, perSecond }),
        sessionId: `scale-${randomUUID()}`,
      });
      const sent = request(url, { method: 'POST', agent }, (response) => {
        response.setEncoding('latin1');
        response.on('data', (part: string) => {
          const now = nowUs();
          const taken = takeStamps(rest + part);
          rest = taken.rest;
          for (const at of taken.sentAtUs) lags.push((now - at) / 1000);
          if (seen === 0 && taken.sentAtUs.length > 0) {
            starts.push(performance.now() - startedAt);
            begun += 1;
            if (begun === streams) tell({ kind: 'open', chunks: lags.length });
          }
          seen += taken.sentAtUs.length;
          if (seen === messages && !isEnding) {
            isEnding = true;
            tell({ kind: 'ending', chunks: lags.length });
          }
        });
        response.once('end', () => resolve(seen === messages));
        response.once('error', () => resolve(false));
      });
      sent.once('error', () => resolve(false));
      sent.end(body);
    });
  const whole = await Promise.all(Array.from({ length: streams }, call));
  agent.destroy();
  tell({
    kind: 'over',
    lagP50Ms: quantile(lags, 0.5),
    lagP99Ms: quantile(lags, 0.99),
    startP50Ms: quantile(starts, 0.5),
    startP99Ms: quantile(starts, 0.99),
    broken: whole.filter((isWhole) => !isWhole).length,
  });
});
process.on('disconnect', () => process.exit());
