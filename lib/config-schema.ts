import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_CHOICES, AGENT_ENTRY_KEYS, type AgentEntry } from '../lambda/agents.ts';
import { AGENT_KEYS } from './context-agents.ts';
import { GENERAL_KEYS } from './context-table.ts';
import { PROJECT_ROOT } from './project.ts';
import { LIMITS_SCHEMA, listOf, oneOf, type Schema, TEXT, whole } from './schema.ts';

/** The schema of `config/<stage>.json`. `npm run schema` writes it from the tables that read the keys. */
export const SCHEMA_FILE = join(PROJECT_ROOT, 'config', 'schema.json');

const MILLISECONDS = whole(1, 2 ** 31 - 1);

/** The schemas of an agent's keys. `input` accepts any object or list. */
const AGENT_PROPERTIES: Readonly<Record<keyof AgentEntry, Schema>> = {
  id: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$',
    description: 'Short id, such as helpdesk',
  },
  name: { ...TEXT, description: 'Name for people, such as HelpdeskAgent' },
  runtimeArn: { ...TEXT, description: 'ARN of its AgentCore runtime, or ssm:<parameter name>' },
  qualifier: { ...TEXT, description: 'Name of the runtime’s endpoint. Default: DEFAULT' },
  transport: {
    ...oneOf(...AGENT_CHOICES.transport),
    description: 'http for an agent without /ws. Default: websocket',
  },
  description: { type: 'string', description: 'What it does, for people' },
  capabilities: { ...listOf({ type: 'string' }), description: 'What it can do, for people' },
  framing: {
    ...oneOf(...AGENT_CHOICES.framing),
    description: 'How documents are packed into messages. Default: auto, the first message decides',
  },
  dialect: {
    ...oneOf(...AGENT_CHOICES.dialect),
    description: 'What the documents mean. Default: auto, the first one that only one dialect has decides',
  },
  input: {
    anyOf: [{ type: 'object' }, { type: 'array' }],
    description: 'A template with $prompt, $sessionId, $requestId and $payload. Default: that of the dialect',
  },
  payload: {
    ...oneOf(...AGENT_CHOICES.payload),
    description: 'Whether a caller may add keys to the input. Default: refuse',
  },
  endMarker: { ...TEXT, description: 'A further type (or event) of a document that ends an answer' },
  ends: {
    ...oneOf(...AGENT_CHOICES.ends),
    description: 'What alone ends an answer. Default: every known mark, and the close',
  },
  textPath: {
    anyOf: [TEXT, { minItems: 1, ...listOf(TEXT) }],
    description: 'The path of the text in a document, such as delta.text, or a list of paths',
  },
  structured: {
    ...oneOf(...AGENT_CHOICES.structured),
    description: 'How JSON without text is treated. Default: pass',
  },
  firstChunkTimeoutMs: {
    ...MILLISECONDS,
    description: 'From the prompt to the first chunk. Default: FIRST_CHUNK_TIMEOUT_MS',
  },
  idleTimeoutMs: { ...MILLISECONDS, description: 'Between two messages. Default: IDLE_TIMEOUT_MS' },
};

/** The limits, each with its meaning, which stands in the table of docs/configuration.md and nowhere else. */
function limitsSchema(): Schema {
  const page = readFileSync(join(PROJECT_ROOT, 'docs', 'configuration.md'), 'utf8');
  const rows = page.matchAll(/^\| `([A-Z_]+)` \| \d+ \| (.+) \|$/gm);
  const meanings = new Map(Array.from(rows, ([, variable, meaning = '']) => [variable, meaning]));
  const limits = Object.entries(LIMITS_SCHEMA.properties as Record<string, Schema>);
  return {
    ...LIMITS_SCHEMA,
    properties: Object.fromEntries(
      limits.map(([variable, schema]) => [
        variable,
        { ...schema, description: plainText(meanings.get(variable)) },
      ]),
    ),
  };
}

/** A cell of a table without the marks of Markdown. */
function plainText(cell: string | undefined): string | undefined {
  return cell?.replaceAll('`', '').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
}

/** Makes the schema from the tables of the readers, so that the schema and the readers know the same keys. */
export function configSchema(): Schema {
  const agent = {
    type: 'object',
    required: ['id', 'name', 'runtimeArn'],
    additionalProperties: false,
    properties: Object.fromEntries(
      AGENT_ENTRY_KEYS.map((key) => [key, AGENT_PROPERTIES[key as keyof AgentEntry]]),
    ),
  };
  const known = AGENT_KEYS.filter((key) => key !== 'agents').map((key): [string, Schema] => [
    key,
    key.endsWith('Transport') ? oneOf(...AGENT_CHOICES.transport) : TEXT,
  ]);
  const general = Object.entries(GENERAL_KEYS).map(([key, { description, schema }]): [string, Schema] => [
    key,
    { description, ...(schema === LIMITS_SCHEMA ? limitsSchema() : schema) },
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
