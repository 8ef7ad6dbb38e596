import { AGENT_KEYS, agentsOf } from './context-agents.ts';
import { checkKeys } from './context-keys.ts';
import { LIMITS } from './context-limits.ts';
import { GENERAL_KEYS } from './context-table.ts';
import { numberOf } from './context-values.ts';
import type { Deployment } from './deployment.ts';

type Context = Readonly<Record<string, unknown>>;

/** Every context key that is read. */
export const CONTEXT_KEYS: readonly string[] = [...AGENT_KEYS, ...Object.keys(GENERAL_KEYS)];

/**
 * Returns a line for each key that is ignored.
 *
 * @throws Error naming a key that is misspelled, or a limit that is given outside of `limits`
 */
export function unknownKeys(context: Context): string[] {
  for (const [key, given] of Object.entries(context)) {
    if (!LIMITS.includes(key)) continue;
    throw new Error(`${key} is a limit: write -c limits='${JSON.stringify({ [key]: numberOf(given) })}'`);
  }
  return checkKeys(context, CONTEXT_KEYS);
}

/**
 * Turns the whole CDK context (`-c key=value`, where every value is text, and cdk.json) into typed props.
 *
 * @throws Error naming the key, the expected value and the given one
 */
export function readContext(context: Context): Deployment {
  unknownKeys(context);
  const general = Object.entries(GENERAL_KEYS).map(([key, { read }]) =>
    context[key] === undefined ? {} : read(context[key]),
  );
  const deployment: Deployment = Object.assign({ agents: agentsOf(context) }, ...general);
  if (context.auth !== 'none') return deployment;
  // The construct makes the same checks, but its errors name props instead of context keys.
  if (deployment.allowedOrigins === undefined) {
    throw new Error(
      'auth=none needs allowedOrigins: anybody may call, so name the origins whose pages may (a list such as https://app.example.com)',
    );
  }
  if (deployment.host === 'web' && deployment.maxEnvironments === undefined) {
    throw new Error(
      'auth=none needs maxEnvironments: anybody may call, so say how many environments may serve (and be paid for) at once',
    );
  }
  if (deployment.host !== 'web' && deployment.reservedConcurrentExecutions === undefined) {
    throw new Error(
      'auth=none needs reservedConcurrency: anybody may call, so say how many answers may stream (and be paid for) at once',
    );
  }
  return deployment;
}
