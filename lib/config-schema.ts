import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ENTRY_KEYS } from '../lambda/agents.ts';
import { AGENT_KEYS } from './context-agents.ts';
import { GENERAL_KEYS } from './context-table.ts';
import { PROJECT_ROOT } from './project.ts';
import { listOf, oneOf, type Schema, TEXT, whole } from './schema.ts';

/** What `config/<stage>.json` may hold; written from the tables that read it by `npm run schema`. */
export const SCHEMA_FILE = join(PROJECT_ROOT, 'config', 'schema.json');

const MILLISECONDS = whole(1, 2 ** 31 - 1);

/** The keys of an agent that an editor can say more of than their name. */
const AGENT_PROPERTIES: Readonly<Record<string, Schema>> = {
  id: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$', description: 'Short id, helpdesk' },
  name: { ...TEXT, description: 'Name as people say it, HelpdeskAgent' },
  runtimeArn: { ...TEXT, description: 'ARN of its AgentCore runtime, or ssm:<parameter name>' },
  qualifier: { ...TEXT, description: 'Name of the runtime’s endpoint. Default: DEFAULT' },
  transport: {
    ...oneOf('websocket', 'http'),
    description: 'http for an agent without /ws. Default: websocket',
  },
  description: { type: 'string' },
  capabilities: listOf({ type: 'string' }),
  firstChunkTimeoutMs: MILLISECONDS,
  idleTimeoutMs: MILLISECONDS,
};

/** The schema, made from the tables of the readers, so that neither can know a key that the other does not. */
export function configSchema(): Schema {
  const agent = {
    type: 'object',
    required: ['id', 'name', 'runtimeArn'],
    additionalProperties: false,
    properties: Object.fromEntries(AGENT_ENTRY_KEYS.map((key) => [key, AGENT_PROPERTIES[key] ?? {}])),
  };
  const known = AGENT_KEYS.filter((key) => key !== 'agents').map((key): [string, Schema] => [
    key,
    key.endsWith('Transport') ? oneOf('websocket', 'http') : TEXT,
  ]);
  const general = Object.entries(GENERAL_KEYS).map(([key, { description, schema }]): [string, Schema] => [
    key,
    { description, ...schema },
  ]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A stage of agentcore-stream, see docs/deployment.md',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      agents: {
        description:
          'Every agent, in place of the keys of single agents; docs/agents.md has all that one may say',
        minItems: 1,
        ...listOf(agent),
      },
      ...Object.fromEntries(known),
      ...Object.fromEntries(general),
    },
  };
}

if (import.meta.main) writeFileSync(SCHEMA_FILE, `${JSON.stringify(configSchema(), null, 2)}\n`);
