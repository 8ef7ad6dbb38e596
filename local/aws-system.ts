import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENV } from '../lambda/contract.ts';
import { readContext } from '../lib/context.ts';
import type { Deployment } from '../lib/deployment.ts';
import { withStageFile } from '../lib/stage-file.ts';
import type { GivenAgent } from './agents-file.ts';
import { HOSTS, type HostName, type HostOptions, type RunningHost } from './hosts.ts';

export interface AwsSystemOptions {
  /** `key=value`, as for `cdk deploy -c`; over what cdk.json, cdk.context.json and config/<stage>.json have. */
  context: readonly string[];
  /** Entries of AGENTS. @default those of the variable AGENTS, else of the context */
  configured?: readonly GivenAgent[];
  /** @default 'function-url' */
  host?: HostName;
  functionUrl?: HostOptions['functionUrl'];
  onLog?: HostOptions['onLog'];
}

/**
 * The service on this machine, the agents in AWS: those of the variable AGENTS, or of the CDK context, reached
 * with the developer's own credentials (AWS_PROFILE, SSO, keys: whatever the AWS SDK finds).
 *
 * @throws Error when no agent is configured, or one wrongly
 */
export function startAwsSystem({
  context,
  configured,
  host = 'function-url',
  functionUrl,
  onLog = () => {},
}: AwsSystemOptions): Promise<RunningHost> {
  const own = Object.entries(process.env).filter(
    (entry): entry is [string, string] => /^(AWS_|HOME$)/.test(entry[0]) && entry[1] !== undefined,
  );
  return HOSTS[host]({
    allowedOrigins: ['*'],
    functionUrl,
    onLog,
    environment: {
      ...Object.fromEntries(own),
      [ENV.AGENTS]: configured ? JSON.stringify(configured) : agentsOf(context),
      [ENV.STAGE]: 'local',
    },
  });
}

/** The value of the variable AGENTS, else what a deployment would make of the context. */
function agentsOf(context: readonly string[]): string {
  return process.env[ENV.AGENTS] ?? JSON.stringify(agentsInContext(context));
}

/** The agents of the context. @throws Error for one whose ARN only a deployment can look up */
function agentsInContext(context: readonly string[]): Deployment['agents'] {
  const { agents } = readContext(contextOf(context));
  for (const { id, runtimeArn } of agents) {
    if (!runtimeArn?.startsWith('ssm:')) continue;
    throw new Error(
      `agent "${id}": npm start looks up no SSM parameter: give the ARN itself, as aws ssm get-parameter --name ${runtimeArn.slice(4)} shows it`,
    );
  }
  return agents;
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
