import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAGE_PATTERN } from './checks.ts';
import { CONTEXT_KEYS } from './context.ts';
import { nearest } from './context-keys.ts';
import { PROJECT_ROOT } from './project.ts';
import { DEFAULT_STAGE } from './stage.ts';

type Context = Readonly<Record<string, unknown>>;

/** The folder of the committed files `<stage>.json`, one for each stage. */
const CONFIG_FOLDER = join(PROJECT_ROOT, 'config');

/**
 * Adds the values of `config/<stage>.json` to the context, whose own values win: those of `-c key=value`, cdk.json and
 * cdk.context.json. A stage without a file is configured by its context alone.
 *
 * @param context the CDK context, whose key `stage` chooses the file
 * @throws Error naming the file and what is wrong with it
 */
export function withStageFile(context: Context, folder: string = CONFIG_FOLDER): Context {
  const stage = context.stage ?? DEFAULT_STAGE;
  if (typeof stage !== 'string' || !STAGE_PATTERN.test(stage)) return context;
  const file = join(folder, `${stage}.json`);
  if (!existsSync(file)) return context;
  const { $schema: _schema, ...given } = readFile(file, stage);
  for (const key of Object.keys(given)) {
    if (CONTEXT_KEYS.includes(key)) continue;
    const near = nearest(key, CONTEXT_KEYS);
    throw new Error(
      `config/${stage}.json: unknown key "${key}"${near === undefined ? ': config/schema.json has the known keys' : `: did you mean "${near}"?`}`,
    );
  }
  if (given.stage !== undefined && given.stage !== stage) {
    throw new Error(
      `config/${stage}.json: "stage" expected "${stage}", as the file is called, got ${JSON.stringify(given.stage)}`,
    );
  }
  return { ...given, ...context };
}

function readFile(file: string, stage: string): Record<string, unknown> {
  const text = readFileSync(file, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`config/${stage}.json: expected JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`config/${stage}.json: expected an object, got ${text.slice(0, 100)}`);
}
