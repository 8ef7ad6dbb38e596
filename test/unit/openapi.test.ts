import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { AgentErrorDetails } from '../../client/stream-agent.ts';
import { ENV, ERROR_CODES, EXPOSED_HEADERS } from '../../lambda/contract.ts';
import { StreamError } from '../../lambda/errors.ts';
import { SERVER_ENV, SERVER_SETTINGS } from '../../lambda/hosts/server-config.ts';
import { ROUTES } from '../../lambda/http/routes.ts';
import { FORMATS, PROTOCOLS } from '../../lambda/protocols/protocols.ts';
import { SETTINGS, type Setting } from '../../lambda/settings.ts';
import { answerOf, document, faultsOf, faultsOfEvent, resolve, source } from '../fixtures/openapi.ts';
import { typeOf } from '../fixtures/schema-types.ts';

const root = join(import.meta.dirname, '../..');
/** What the agent of the example says, not the function. */
const OF_AN_AGENT = 'the model is not available';
const MEDIA_TYPES = Object.values(PROTOCOLS).map(({ mediaType }) => mediaType);
const { components, paths } = document;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** Every member of this name, wherever it is. */
function* findAll(name: string, value: unknown = document): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === name) yield member;
    yield* findAll(name, member);
  }
}

describe('the document', () => {
  test('is OpenAPI 3.1, and refers to nothing that it does not have', () => {
    const references = [...findAll('$ref')] as string[];

    expect(document.openapi).toMatch(/^3\.1\./);
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  test('has no component that nothing refers to', () => {
    const references = new Set(findAll('$ref'));
    const names = Object.entries(components).flatMap(([kind, members]) =>
      Object.keys(members).map((name) => `#/components/${kind}/${name}`),
    );

    const unused = names.filter((name) => !references.has(name) && !name.includes('/securitySchemes/'));

    // It describes what is in an event stream, of which a schema can only say that it is text.
    expect(unused).toEqual(['#/components/schemas/StreamEvent']);
  });

  test('has every route with its method, and no other', () => {
    const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);

    expect(described.sort()).toEqual(ROUTES.map(({ path, method }) => `${method} ${path}`).sort());
  });

  test.each(ROUTES.map((entry) => [`${entry.method} ${entry.path}`, entry] as const))(
    'has of %s every format in which it can answer, and no other',
    (_route, { method, path, route }) => {
      const { responses } = paths[path]?.[method.toLowerCase()] ?? {};
      const described = Object.keys((responses?.[200] && answerOf(responses[200]).content) ?? {});
      const matched = route({});

      if (matched.name === 'invoke') {
        const protocols = 'protocol' in matched ? [PROTOCOLS[matched.protocol]] : Object.values(FORMATS);
        const formats = new Set(protocols.map(({ mediaType }) => mediaType));
        expect(described.sort()).toEqual([...formats].sort());
      } else for (const type of described) expect(MEDIA_TYPES).toContain(type);
    },
  );

  test('has every setting with its bounds, and no other', () => {
    const numbers = Object.values<Setting>({ ...SETTINGS, ...SERVER_SETTINGS }).map(
      ({ variable, because: _because, onLambda: _onLambda, ...bounds }) => [
        variable,
        { type: 'integer', ...bounds, description: expect.stringMatching(/./) },
      ],
    );
    const others = Object.values({ ...ENV, ...SERVER_ENV }).map((variable) => [
      variable,
      { type: 'string', description: expect.stringMatching(/./) },
    ]);

    expect(document['x-settings']).toEqual(Object.fromEntries([...numbers, ...others]));
  });

  test('names no setting that there is not', () => {
    // Beside the types of AG-UI's events.
    const named = [...source.matchAll(/`(?!RUN_)([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, variable]) => variable);

    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((variable) => !Object.hasOwn(document['x-settings'], variable ?? ''))).toEqual([]);
  });

  test('has operations that are named once, tagged and complete', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    const tags = document.tags.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations) {
      const parameters = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(parameters);
      expect(tags).toEqual(expect.arrayContaining(operation.tags));
      const success = ['200', '201', '204'].find((status) => status in operation.responses);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining([success, '405', '500']));
      for (const [status, answer] of Object.entries(operation.responses)) {
        expect(answerOf(answer)).toMatchObject({ description: expect.any(String) });
        expect('content' in answerOf(answer)).toBe(status !== '204');
      }
    }
  });

  test('names every header that a cross-origin page may read', () => {
    for (const name of EXPOSED_HEADERS) expect(source).toContain(name);
  });
});

describe('an error', () => {
  const { ErrorCode } = components.schemas;

  test('has one of the codes of the service', () => {
    expect(ErrorCode?.enum).toEqual(ERROR_CODES);
  });

  test.each(ERROR_CODES)('%s has its status, a line that explains it and an example', (code) => {
    const { status } = new StreamError(code, 'x');
    const isInBand = code === 'ResponseTooLarge';
    const invoke = paths['/']?.post?.responses ?? {};
    const answer = invoke[isInBand ? 200 : status];

    expect(ErrorCode?.description).toContain(`| ${code} | ${isInBand ? 'in the answer only' : status} |`);
    expect(JSON.stringify(answer && answerOf(answer).content)).toContain(
      isInBand ? `\\"${code}\\"` : `"${code}"`,
    );
  });

  test('has in every example the flags and seconds that its code implies', () => {
    const examples = Object.values(components.responses)
      .flatMap((answer) => Object.values(answerOf(answer).content ?? {}))
      .flatMap(({ examples = {} }) => Object.entries(examples))
      .filter(([name]) => (ERROR_CODES as readonly string[]).includes(name));

    for (const [name, { value }] of examples) {
      const { error, retryable, promptSent, details } = value as Record<string, unknown>;
      const expected = Object.assign(new StreamError(error as (typeof ERROR_CODES)[number], 'x'), {
        promptSent,
      });
      expect({ name: error, retryable }).toEqual({ name, retryable: expected.retryable });
      expect((details as AgentErrorDetails | undefined)?.retryAfterSeconds).toBe(expected.retryAfterSeconds);
    }
    expect(examples).toHaveLength(ERROR_CODES.length - 1);
  });
});

describe('a message', () => {
  /** Every text of the function's sources as a pattern, in which what is filled in is anything. */
  const texts = readdirSync(join(root, 'lambda'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'lambda', file), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, ''))
    .flatMap((code) => [...code.matchAll(/(['"`])((?:(?!\1)[^\\\n]|\\.)+)\1/g)])
    .map(([, , text = '']) => text.split(/\$\{[^}]*\}/))
    .filter((parts) => parts.join('').length > 10)
    .map((parts) => new RegExp(`^${parts.map((part) => RegExp.escape(part)).join('.+')}$`));
  const isSent = (message: string) => {
    const [text = ''] = message.split('. The agent may have acted on the prompt', 1);
    // One part of a message may be filled into another.
    const within = text.replace(/^the agent /, '');
    return texts.some((pattern) => pattern.test(text) || pattern.test(within));
  };

  test('of an example is one that the function sends', () => {
    const inBand = [...findAll('value')].flatMap((value) =>
      typeof value === 'string' ? [...value.matchAll(/^data: (\{"error".*\})$/gm)] : [],
    );
    const messages = [
      ...[...findAll('message')].filter((message) => typeof message === 'string'),
      ...inBand.map(([, event = '']) => (JSON.parse(event) as { error: string }).error),
    ];

    expect(messages.length).toBeGreaterThan(15);
    expect(messages.filter((message) => !(isSent(message) || message === OF_AN_AGENT))).toEqual([]);
  });

  test.each([['the answer is longer than a response may be'], ['this service may not invoke the agent']])(
    'that it does not send is found: %s',
    (message) => {
      expect(isSent(message)).toBe(false);
    },
  );
});

describe('an example', () => {
  const media = [
    ...operations.flatMap(({ operation }) => Object.values(operation.responses).map(answerOf)),
    ...Object.values(components.requestBodies),
  ].flatMap(({ content = {} }) => Object.entries(content));

  test('of an answer or a body is valid', () => {
    const faults = media.flatMap(([, { schema, examples = {} }]) =>
      Object.entries(examples).flatMap(([name, { value }]) =>
        faultsOf(value, schema).map((fault) => `${name}: ${fault}`),
      ),
    );

    expect(faults).toEqual([]);
    expect(media.every(([, { examples }]) => Object.keys(examples ?? {}).length > 0)).toBe(true);
  });

  const streams = media
    .filter(([type]) => type === 'text/event-stream')
    .flatMap(([, one]) => Object.values(one.examples ?? {}).map(({ value }) => ({ media: one, value })));
  const dataOf = (stream: unknown) =>
    String(stream)
      .replace(/^:.*\n/gm, '')
      .split('\n\n')
      .flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));

  test('of a stream is made of valid events', () => {
    for (const { media: one, value } of streams) {
      expect(String(value)).toMatch(/\n\n$/);
      expect(dataOf(value).flatMap((data) => faultsOfEvent(data, one))).toEqual([]);
    }
    expect(streams.length).toBeGreaterThan(4);
  });

  test('of a stream of our own begins and ends as it should, and counts its text right', () => {
    const own = streams.filter((stream) => !('x-events' in stream.media));

    for (const { value } of own) {
      const events = dataOf(value).map((data) => JSON.parse(data));
      const texts = events.flatMap(({ chunk }) => (chunk === undefined ? [] : [chunk]));
      const last = events.at(-1);

      expect(events[0]).toHaveProperty('start');
      expect(last).toHaveProperty(last.done ? 'done' : 'code');
      if (last.done) {
        expect(last).toMatchObject({ chunks: texts.length, bytes: Buffer.byteLength(texts.join('')) });
      }
    }
    expect(own.length).toBeGreaterThan(2);
  });

  const withExample = Object.entries(components.schemas).filter(([, schema]) => 'example' in schema);

  test.each(withExample)('of the schema %s is valid', (name, { example }) => {
    expect(faultsOf(example, { $ref: `#/components/schemas/${name}` })).toEqual([]);
  });

  test.each([
    ['StartEvent', { start: true, sessionId: 'short', agentId: 'a', requestId: 'r' }],
    ['ChunkEvent', { chunk: 1 }],
    ['ChunkEvent', { chunk: 'a', done: true }],
    ['ToolCallEvent', { toolCall: { id: 't1' } }],
    ['StreamEvent', { progress: 1 }],
    ['ErrorBody', { error: 'Oops', message: 'x', requestId: 'r', retryable: false, promptSent: false }],
    ['InvokeResponse', { ...components.schemas.InvokeResponse?.example, incomplete: true }],
    ['Health', { status: 'healthy', timestamp: 'yesterday', environment: 'dev' }],
  ])('that is wrong is told from one that is not: %s %j', (name, value) => {
    expect(faultsOf(value, { $ref: `#/components/schemas/${name}` })).not.toEqual([]);
  });
});

const TYPED = ['toolCall', 'toolInput', 'toolCallEnd', 'toolResult', 'interrupt', 'usage', 'data'];
const upper = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

describe('the client', () => {
  const folder = join(root, 'dist');
  const file = join(folder, 'client-types.ts');

  /** What the compiler says of a claim, with the client's types and, in `Wire`, those of the document in scope. */
  function complaintsOf(...claims: string[]): string[] {
    const types = Object.entries(components.schemas).map(
      ([name, schema]) => `  export type ${name} = ${typeOf(schema)};`,
    );
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      file,
      [
        "import type * as Client from '../client/stream-agent.ts';",
        `declare namespace Wire {\n${types.join('\n')}\n}`,
        'type Flat<T> = { [K in keyof T]: T[K] };',
        'type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;',
        ...claims.map((claim, i) => `export const claim${i}: ${claim} = true;`),
      ].join('\n'),
    );
    const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
    ];
    const modules = ['--module', 'nodenext', '--allowImportingTsExtensions', '--target', 'esnext'];
    const { stdout } = spawnSync(process.execPath, [compiler, ...options, ...modules, file], {
      encoding: 'utf8',
    });
    rmSync(file);
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('has the types of the document', () => {
    const complaints = complaintsOf(
      'Same<Client.ServerErrorCode, Wire.ErrorCode>',
      'Same<Client.AgentErrorDetails, Wire.ErrorDetails>',
      "Same<Omit<Client.StartEvent, 'type'>, Omit<Wire.StartEvent, 'start'>>",
      "Same<Flat<Omit<Client.DoneEvent, 'type' | 'text'>>, Flat<Omit<Wire.DoneEvent, 'done'>>>",
      "Same<Client.ChunkEvent['text'], Wire.ChunkEvent['chunk']>",
      "Same<Client.ReasoningEvent['text'], Wire.ReasoningEvent['reasoning']>",
      ...TYPED.map(
        (name) => `Same<Omit<Client.${upper(name)}Event, 'type'>, Wire.${upper(name)}Event['${name}']>`,
      ),
      ...['retryable', 'promptSent'].map(
        (name) =>
          `Same<Client.AgentError['${name}'], Wire.ErrorEvent['${name}'] & Wire.ErrorBody['${name}']>`,
      ),
      "Same<Omit<Client.StreamAgentOptions, 'signal' | 'fetch' | 'sessionId'>, Omit<Wire.InvokeRequest, 'sessionId'>>",
    );

    expect(complaints).toEqual([]);
  });

  test.each([
    ['a member less', 'Same<Client.AgentErrorDetails, Omit<Wire.ErrorDetails, "hint">>'],
    ['a member that must be there', 'Same<Client.AgentErrorDetails, Wire.ErrorDetails & { hint: string }>'],
    ['another type', "Same<Client.StartEvent['agentId'], Wire.DoneEvent['chunks']>"],
    ['a code less', "Same<Client.ServerErrorCode, Exclude<Wire.ErrorCode, 'Internal'>>"],
  ])('is told apart from types with %s', (_what, claim) => {
    expect(complaintsOf(claim)).toEqual([
      expect.stringContaining("Type 'true' is not assignable to type 'false'"),
    ]);
  });
});
