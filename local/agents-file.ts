import { readFileSync } from 'node:fs';
import { parseAgents } from '../lambda/agents.ts';

/** An entry of the deployment's `agents`, as it was given. */
export interface GivenAgent {
  id: string;
  name: string;
  runtimeArn: string;
  qualifier?: string;
  [key: string]: unknown;
}

/**
 * Reads the agents of a deployment: the JSON list of the context key `agents`, or a file that has it under that key,
 * such as config/dev.json or cdk.context.json.
 *
 * @param standsIn whether an agent may do without the ARN of a runtime, or name an SSM parameter that holds it: nothing
 *   is deployed yet where it is tried out, so that another ARN stands in for it
 * @throws Error naming the file, the agent and the key, what was expected and what came
 */
export function readAgentsFile(file: string, { standsIn }: { standsIn: boolean }): GivenAgent[] {
  const json = parsed(file);
  const listed = isObject(json) ? json.agents : json;
  const given: unknown = Array.isArray(listed) && standsIn ? listed.map(withArn) : listed;
  try {
    parseAgents(given);
  } catch (cause) {
    throw new Error(`--agents ${file}: ${(cause as Error).message}`, { cause });
  }
  return given as GivenAgent[];
}

function parsed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`--agents: ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(`--agents ${file}: expected JSON: ${(cause as Error).message}`, { cause });
  }
}

/** The runtime ids of the stand-ins must differ; the places of their agents do. */
function withArn(entry: unknown, index: number): unknown {
  if (!isObject(entry)) return entry;
  const { runtimeArn } = entry;
  const isUnknown = runtimeArn === undefined || (typeof runtimeArn === 'string' && /^ssm:/.test(runtimeArn));
  if (!isUnknown) return entry;
  const number = String(index).padStart(10, '0');
  return {
    ...entry,
    runtimeArn: `arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/NotDeployed-${number}`,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
