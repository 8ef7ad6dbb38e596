import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ENTRY_KEYS } from '../lambda/agents.ts';
import { AGENT_KEYS } from './context-agents.ts';
import { GENERAL_KEYS } from './context-table.ts';
import { PROJECT_ROOT } from './project.ts';
import { listOf, oneOf, type Schema, TEXT, whole } from './schema.ts';

/** The schema of `config/<stage>.json`. `npm run schema` writes it from the tables that read the keys. */
export const SCHEMA_FILE = join(PROJECT_ROOT, 'config', 'schema.json');

const MILLISECONDS = whole(1, 2 ** 31 - 1);

/** The schemas of an agent's keys. A key without one accepts any value. */
const AGENT_PROPERTIES: Readonly<Record<string, Schema>> = {
  id: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$',
    description: 'Short id, such as helpdesk',
  },
  name: { ...TEXT, description: 'Name for people, such as HelpdeskAgent' },
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

/** Makes the schema from the tables of the readers, so that the schema and the readers know the same keys. */
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
          'All agents, instead of the keys of single agents; docs/agents.md describes every option',
        minItems: 1,
        ...listOf(agent),
      },
      ...Object.fromEntries(known),
      ...Object.fromEntries(general),
    },
  };
}

if (import.meta.main) writeFileSync(SCHEMA_FILE, `${JSON.stringify(configSchema(), null, 2)}\n`);
