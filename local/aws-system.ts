import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENV } from '../lambda/contract.ts';
import { BUNDLE_FOLDER } from '../lib/bundle.ts';
import { readContext } from '../lib/context.ts';
import { withStageFile } from '../lib/stage-file.ts';
import type { GivenAgent } from './agents-file.ts';
import { type FunctionUrlOptions, startFunctionUrl } from './aws/function-url.ts';
import { type LambdaRuntimeOptions, startLambdaRuntime } from './aws/lambda-runtime.ts';
import { LOCAL_CORS, type System } from './system.ts';

export interface AwsSystemOptions {
  /** `key=value`, as for `cdk deploy -c`; over what cdk.json, cdk.context.json and config/<stage>.json have. */
  context: readonly string[];
  /** Entries of AGENTS. @default those of the variable AGENTS, else of the context */
  configured?: readonly GivenAgent[];
  functionUrl?: Omit<FunctionUrlOptions, 'runtime' | 'cors'>;
  onLog?: LambdaRuntimeOptions['onLog'];
}

/**
 * The function on this machine, the agents in AWS: those of the variable AGENTS, or of the CDK context, reached
 * with the developer's own credentials (AWS_PROFILE, SSO, keys: whatever the AWS SDK finds).
 *
 * @throws Error when no agent is configured, or one wrongly
 */
export async function startAwsSystem({
  context,
  configured,
  functionUrl,
  onLog,
}: AwsSystemOptions): Promise<Pick<System, 'url' | 'runtime' | 'close'>> {
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] => /^(AWS_|HOME$)/.test(entry[0]) && entry[1] !== undefined,
  );
  const runtime = startLambdaRuntime({
    folder: BUNDLE_FOLDER,
    ...(onLog && { onLog }),
    environment: {
      ...Object.fromEntries(own),
      [ENV.AGENTS]: configured ? JSON.stringify(configured) : agentsOf(context),
      [ENV.STAGE]: 'local',
    },
  });
  const { url, close } = await startFunctionUrl({ ...functionUrl, runtime, cors: LOCAL_CORS });
  return {
    url,
    runtime,
    close: async () => {
      await close();
      await runtime.close();
    },
  };
}

/** The value of the variable AGENTS, else what a deployment would make of the context. */
function agentsOf(context: readonly string[]): string {
  return process.env[ENV.AGENTS] ?? JSON.stringify(readContext(contextOf(context)).agents);
}

/** As the CDK's CLI puts them together: what is later goes over what is earlier. */
function contextOf(pairs: readonly string[]): Readonly<Record<string, unknown>> {
  const { context } = readJson('cdk.json') as { context?: object };
  const given = pairs.map((pair) => {
    const at = pair.indexOf('=');
    if (at <= 0) throw new Error(`-c: expected key=value, got "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return withStageFile({ ...context, ...readJson('cdk.context.json'), ...Object.fromEntries(given) });
}

function readJson(name: string): object {
  const file = join(import.meta.dirname, '..', name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
}
