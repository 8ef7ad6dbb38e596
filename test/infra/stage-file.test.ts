import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { AGENT_CHOICES, AGENT_ENTRY_KEYS, parseAgents } from '../../lambda/agents.ts';
import { configSchema, SCHEMA_FILE } from '../../lib/config-schema.ts';
import { CONTEXT_KEYS, readContext } from '../../lib/context.ts';
import { withStageFile } from '../../lib/stage-file.ts';
import { runtimeArn, stackOf } from './support.ts';

const agents = [{ id: 'helpdesk', name: 'HelpdeskAgent', runtimeArn: runtimeArn('HelpdeskAgent') }];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (stage: string, content: unknown) =>
  writeFileSync(
    join(folder, `${stage}.json`),
    typeof content === 'string' ? content : JSON.stringify(content),
  );

describe('the file of a stage', () => {
  test('is what the stage chooses, dev where none is named', () => {
    write('dev', { agents, memorySize: 512 });
    write('prod', { $schema: './schema.json', agents, memorySize: 2048 });

    expect(readContext(withStageFile({}, folder))).toMatchObject({ agents, memorySize: 512 });
    expect(readContext(withStageFile({ stage: 'prod' }, folder))).toMatchObject({
      stage: 'prod',
      memorySize: 2048,
    });
  });

  test('is overridden by the context', () => {
    write('prod', { agents, memorySize: 2048, auth: 'iam' });

    const { memorySize } = readContext(withStageFile({ stage: 'prod', memorySize: '1024' }, folder));

    expect(memorySize).toBe(1024);
  });

  test('may be missing: the context alone configures such a stage', () => {
    expect(withStageFile({ stage: 'prod', agents }, folder)).toEqual({ stage: 'prod', agents });
  });

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /^config\/prod\.json: expected JSON: /],
    ['a list', [], /^config\/prod\.json: expected an object, got \[\]$/],
    [
      'a misspelled key',
      { memmorySize: 1 },
      /^config\/prod\.json: unknown key "memmorySize": did you mean "memorySize"\?$/,
    ],
    [
      'a key of something else',
      { xyzzyplugh: 1 },
      /^config\/prod\.json: unknown key "xyzzyplugh": config\/schema\.json has the known keys$/,
    ],
    [
      'another stage',
      { stage: 'dev' },
      /^config\/prod\.json: "stage" expected "prod", as the file is called, got "dev"$/,
    ],
  ])('is refused with %s', (_what, content, message) => {
    write('prod', content);

    expect(() => withStageFile({ stage: 'prod' }, folder)).toThrow(message);
  });

  test('is never looked for under a stage that is no name', () => {
    expect(withStageFile({ stage: '../prod' }, folder)).toEqual({ stage: '../prod' });
  });
});

describe('its schema', () => {
  // Formats are for editors.
  const validate = new Ajv({ allErrors: true, formats: { uri: true, email: true } }).compile(configSchema());
  const example = JSON.parse(readFileSync(join(SCHEMA_FILE, '../example.json'), 'utf8')) as object;

  test('is the committed file: npm run schema writes it', () => {
    expect(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(configSchema())));
  });

  test('has every key that is read, of the context and of an agent', () => {
    const { properties } = configSchema() as {
      properties: { agents: { items: { properties: object } }; limits: { properties: object } };
    };

    expect(Object.keys(properties).sort()).toEqual(['$schema', ...CONTEXT_KEYS].sort());
    expect(Object.keys(properties.agents.items.properties)).toEqual(AGENT_ENTRY_KEYS);
    for (const key of [
      ...Object.values(properties.agents.items.properties),
      ...Object.values(properties.limits.properties),
    ]) {
      expect(key).toHaveProperty('description', expect.stringMatching(/\w/));
    }
  });

  test.each(Object.entries(AGENT_CHOICES))(
    'offers for %s of an agent the values that are taken',
    (key, values) => {
      const agent = { id: 'a', name: 'A', runtimeArn: runtimeArn('A') };

      for (const value of values) {
        expect(validate({ agents: [{ ...agent, [key]: value }] })).toBe(true);
        expect(() => parseAgents([{ ...agent, [key]: value }])).not.toThrow();
      }
      expect(validate({ agents: [{ ...agent, [key]: 'other' }] })).toBe(false);
      expect(() => parseAgents([{ ...agent, [key]: 'other' }])).toThrow(
        `"${key}" expected one of ${values.join(', ')}`,
      );
    },
  );

  test('takes the example, which can be deployed, and changes no default of the stage that it is copied to', () => {
    validate(example);

    expect(validate.errors ?? []).toEqual([]);
    expect(Object.keys(example)).toEqual(['$schema', 'agents', 'allowedOrigins']);
    const deployment = readContext(withStageFile({ stage: 'example' }));
    expect(deployment.agents.map(({ id }) => id)).toEqual(['onboarding']);
    expect(() => stackOf(deployment).template()).not.toThrow();
  });

  test.each<[string, object, string]>([
    ['a key that nobody reads', { memmorySize: 1 }, 'must NOT have additional properties'],
    ['too little memory', { memorySize: 1 }, 'must be >= 128'],
    ['another auth', { auth: 'cognito' }, 'must be equal to one of the allowed values'],
    [
      'an agent without a name',
      { agents: [{ id: 'a', runtimeArn: 'x' }] },
      "must have required property 'name'",
    ],
    ['a limit out of range', { limits: { PING_INTERVAL_MS: 60_000 } }, 'must be <= 59999'],
  ])('refuses %s', (_what, config, message) => {
    expect(validate(config)).toBe(false);
    expect(validate.errors?.map((error) => error.message)).toContain(message);
  });
});
