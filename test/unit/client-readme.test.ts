import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import type { AgentError, AgentEvent, StreamAgentOptions } from '../../client/stream-agent.ts';
import { CLIENT_SUBPATHS } from '../../packages/exports.ts';
import { codeBlocksOf } from '../fixtures/code-blocks.ts';
import type { mount } from '../fixtures/hooks.ts';
import { until } from '../fixtures/sse.ts';

const root = join(import.meta.dirname, '../..');
const blocks = codeBlocksOf(join(root, 'client/README.md'));

function blockUnder(heading: string): string {
  const block = blocks.find((candidate) => candidate.heading === heading);
  if (!block) throw new Error(`expected a code block under "${heading}", found none`);
  return block.code;
}

/** Runs a module that lies where client/ does, with the stand-in for React. */
async function run<Exports>(contents: string): Promise<Exports> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'tsx' },
    alias: { react: './test/fixtures/hooks.ts' },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const source = Buffer.from(outputFiles[0]?.contents ?? '').toString('base64');
  return (await import(`data:text/javascript;base64,${source}`)) as Exports;
}

interface Asked {
  body: { agentId: string; prompt: string; sessionId?: string };
  response: ServerResponse;
}

let server: Server;
let url: string;
let asked: Asked[];
/** What the service does with the next request. */
let answer: (response: ServerResponse) => void;

const event = (members: object) => `data: ${JSON.stringify(members)}\n\n`;
const SSE = { 'Content-Type': 'text/event-stream' };
const start = (response: ServerResponse, sessionId = 'session-1') =>
  response
    .writeHead(200, SSE)
    .write(event({ start: true, sessionId, agentId: 'onboarding', requestId: 'r' }));
const done = (response: ServerResponse, sessionId = 'session-1') =>
  response.end(event({ done: true, sessionId, chunks: 1, bytes: 1, durationMs: 1 }));

beforeAll(async () => {
  server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const part of request) body += part;
    asked.push({ body: JSON.parse(body), response });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

test('every path that the README imports is one that the package exports', () => {
  const paths = blocks.flatMap(({ code }) =>
    [...code.matchAll(/'agentcore-stream-client(\/[^']+)?'/g)].map(([, path = '']) => `.${path}`),
  );

  expect(paths).toContain('./react');
  expect(Object.keys(CLIENT_SUBPATHS)).toEqual(expect.arrayContaining(paths));
});

test('every code block of the README is run by a test, or at least parsed', async () => {
  expect(blocks.map(({ heading, language }) => `${language}: ${heading}`)).toEqual([
    // In a browser, in test/browser/client-readme.test.ts.
    'js: Plain JavaScript',
    'tsx: React',
    'js: Trying again',
    // In test/unit/content-sha256.test.ts.
    'js: Behind CloudFront',
    // In test/integration/client-sessions.test.ts.
    'ts: Sessions',
    // Its packages are not installed here.
    'js: A Function URL with IAM',
  ]);
  for (const { code } of blocks) await transform(code, { loader: 'tsx' });
});

describe('the React hook', () => {
  interface Hook {
    text: string;
    state: string;
    error: AgentError | undefined;
    send(prompt: string): Promise<void>;
    stop(): void;
  }
  interface Module {
    useAgent(url: string, agentId: string): Hook;
    mount: typeof mount;
  }
  let module: Module;

  beforeAll(async () => {
    module = await run<Module>("export * from './client/react.ts'; export { mount } from 'react';");
  });

  test('is well typed with lib ES2022, as the example uses it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'client-readme-'));
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'conversation.tsx'), blockUnder('React'));
      const compilerOptions = {
        strict: true,
        target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable'],
        module: 'esnext',
        moduleResolution: 'bundler',
        jsx: 'react-jsx',
        types: [],
        paths: { 'agentcore-stream-client/react': [join(root, 'client/react.ts')] },
        allowImportingTsExtensions: true,
        noEmit: true,
      };
      await writeFile(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['conversation.tsx'] }),
      );

      const tsc = join(root, 'node_modules/typescript/lib/tsc.js');
      const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
        (failure: { stdout: string }) => failure,
      );

      expect(stdout).toBe('');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('shows the text as it comes, and goes on in the session', async () => {
    const component = module.mount(module.useAgent, url, 'onboarding');
    answer = (response) => {
      start(response);
      response.write(event({ chunk: 'one' }));
    };

    const sent = component.result.send('first');
    await until(() => component.result.text === 'one', 'the text is shown');
    const during = component.result.state;
    done(asked[0]?.response as ServerResponse);
    await sent;
    await until(() => component.result.state === 'complete', 'it is complete');
    answer = (response) => {
      start(response);
      done(response);
    };
    await component.result.send('second');

    expect(during).toBe('running');
    expect(asked.map(({ body }) => body.sessionId)).toEqual([undefined, 'session-1']);
  });

  test('keeps the text so far when it is stopped, and says so', async () => {
    const component = module.mount(module.useAgent, url, 'onboarding');
    answer = (response) => {
      start(response);
      response.write(event({ chunk: 'so far' }));
    };

    const sent = component.result.send('first');
    await until(() => component.result.text === 'so far', 'the text is shown');
    component.result.stop();
    await sent;
    await until(() => component.result.state !== 'running', 'it has ended');

    expect(component.result).toMatchObject({ state: 'stopped', text: 'so far', error: undefined });
  });

  test('shows the error beside the text so far', async () => {
    const component = module.mount(module.useAgent, url, 'onboarding');
    answer = (response) => {
      start(response);
      response.end(event({ chunk: 'so far' }));
    };

    await component.result.send('first');
    await until(() => component.result.state !== 'running', 'it has ended');

    expect(component.result).toMatchObject({ state: 'failed', text: 'so far' });
    expect(component.result.error).toMatchObject({ code: 'StreamTruncated' });
  });

  test('begins anew with another agent: no old text, no old session, no request left', async () => {
    const component = module.mount(module.useAgent, url, 'onboarding');
    answer = (response) => {
      start(response);
      response.write(event({ chunk: 'old' }));
    };

    const sent = component.result.send('first');
    await until(() => component.result.text === 'old', 'the text is shown');
    const closed = once(asked[0]?.response as ServerResponse, 'close');
    component.render(url, 'provisioning');
    await Promise.all([sent, closed]);
    await until(() => component.result.text === '', 'the old text is gone');
    const between = component.result.state;
    answer = (response) => {
      start(response, 'session-2');
      done(response, 'session-2');
    };
    await component.result.send('second');

    expect(between).toBe('idle');
    expect(asked[1]?.body).toEqual({ agentId: 'provisioning', prompt: 'second' });
  });

  test('closes its connection when it is unmounted', async () => {
    const component = module.mount(module.useAgent, url, 'onboarding');
    answer = start;

    const sent = component.result.send('first');
    await until(() => asked.length === 1, 'it has asked');
    const closed = once(asked[0]?.response as ServerResponse, 'close');
    component.unmount();

    await Promise.all([sent, closed]);
  });
});

describe('withRetries', () => {
  type WithRetries = (
    url: string,
    options: StreamAgentOptions,
    attempts?: number,
  ) => AsyncIterable<AgentEvent>;
  const OPTIONS = { agentId: 'onboarding', prompt: 'a static website' };
  let withRetries: WithRetries;

  beforeAll(async () => {
    ({ withRetries } = await run<{ withRetries: WithRetries }>(
      `import { AgentError, streamAgent } from './client/stream-agent.ts';
      ${blockUnder('Trying again')}
      export { withRetries };`,
    ));
  });

  const unavailable = (retryAfterSeconds: number) => ({
    code: 'AgentUnavailable',
    error: 'it is starting',
    retryable: true,
    promptSent: false,
    details: { retryAfterSeconds },
  });

  test('tries again what did not reach the agent, and says start once', async () => {
    answer = (response) => {
      start(response);
      if (asked.length === 1) response.end(event(unavailable(0.01)));
      else done(response);
    };
    const types: string[] = [];

    for await (const { type } of withRetries(url, OPTIONS)) types.push(type);

    expect(types).toEqual(['start', 'done']);
    expect(asked).toHaveLength(2);
  });

  test('gives up after so many attempts, and at once what may have reached the agent', async () => {
    const read = async (attempts: number) => {
      for await (const _ of withRetries(url, OPTIONS, attempts));
    };

    answer = (response) => response.writeHead(200, SSE).end(event(unavailable(0.01)));
    await expect(read(2)).rejects.toMatchObject({ code: 'AgentUnavailable' });
    const before = asked.length;
    answer = (response) => response.writeHead(200, SSE).end(event({ chunk: 'a' }));
    await expect(read(2)).rejects.toMatchObject({ code: 'StreamTruncated' });

    expect([before, asked.length]).toEqual([2, 3]);
  });

  test('ends its wait when it is aborted', async () => {
    const abort = new AbortController();
    answer = (response) => {
      response.writeHead(200, SSE).end(event(unavailable(3600)));
      setTimeout(() => abort.abort(), 50);
    };

    const read = async () => {
      for await (const _ of withRetries(url, { ...OPTIONS, signal: abort.signal }));
    };

    await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toHaveLength(1);
  });
});
