import { setTimeout as pause } from 'node:timers/promises';
import { DIMENSIONS, PROBE_ENV, PROBE_METRIC } from '../contract.ts';
import { writeEmf } from '../telemetry/emf.ts';
import { checkAgent, type Finding, PROMPT } from './checks.ts';
import { env, log, roleCredentials } from './environment.ts';
import { sendUnsigned, signingSend } from './signed-fetch.ts';

/** The longest time of one answer. */
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * The probe. It checks through the Function URL, as a caller does, that each agent answers chunk by chunk. An agent
 * that does not is asked once more, so that a single failure does not count. The result is a metric of the agent.
 */
export async function handler(): Promise<void> {
  const agents = JSON.parse(env(PROBE_ENV.AGENTS)) as string[];
  const base = new URL(env(PROBE_ENV.URL));
  const isPublic = env(PROBE_ENV.IS_PUBLIC) === 'true';
  const options = {
    base,
    send: isPublic ? sendUnsigned : signingSend({ region: env('AWS_REGION'), credentials: roleCredentials }),
    prompt: PROMPT,
    timeoutMs: ANSWER_TIMEOUT_MS,
  };
  await Promise.all(
    agents.map(async (agent) => {
      const ask = async (attempt: number) => logFinding(await checkAgent(options, agent), attempt);
      let ok = await ask(1);
      if (!ok) {
        await pause(Number(env(PROBE_ENV.PAUSE_MS)));
        ok = await ask(2);
      }
      writeEmf(
        { [DIMENSIONS.service]: env(PROBE_ENV.SERVICE_NAME), [DIMENSIONS.agent]: agent },
        { [PROBE_METRIC]: { unit: 'Count', value: ok ? 0 : 1 } },
      );
    }),
  );
}

function logFinding({ name: agent, ok, detail }: Finding, attempt: number): boolean {
  // The detail of a failure may contain an agent's own words, which must not be logged. `npm run smoke` shows it.
  log(ok ? 'info' : 'error', ok ? 'Probe passed' : 'Probe failed', {
    agent,
    attempt,
    ...(ok && { seen: detail }),
  });
  return ok;
}
