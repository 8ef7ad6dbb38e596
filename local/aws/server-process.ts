import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LambdaRuntime, LambdaRuntimeOptions } from './lambda-runtime.ts';
import { startWatchdog } from './watchdog.ts';

export interface ServerProcessOptions
  extends Pick<LambdaRuntimeOptions, 'environment' | 'preload' | 'onLog'> {
  /** The deployed folder. */
  folder: string;
  /** @default 'index.mjs' */
  entry?: string;
  /** Of Node.js. @default none */
  flags?: readonly string[];
}

/** How a process ended: with a code, or by a signal. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServerProcess extends LambdaRuntime {
  /** Where it listens, without a trailing slash. */
  url: string;
  pid: number;
  exited: Promise<Exit>;
}

const START_LIMIT_MS = 10_000;

/**
 * The server as a container runs it: one process, its environment, and what it prints. Its open answers take the
 * place of the execution environments that a Function URL would have.
 *
 * @throws Error when it does not listen in time, with what it printed
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { folder, entry = 'index.mjs', flags = [], environment, preload = [], onLog = () => {} } = options;
  const watchdog = startWatchdog();
  const child = spawn(
    process.execPath,
    [...flags, ...preload.flatMap((module) => ['--import', module]), join(folder, entry)],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Not in our process group: a Ctrl-C is ours to handle.
      detached: true,
      env: { PATH: process.env.PATH, TZ: ':UTC', HOST: '127.0.0.1', PORT: '0', ...environment },
    },
  );
  watchdog.watch(child);
  const pid = child.pid ?? 0;
  const exited = new Promise<Exit>((resolve) => {
    // After all that it has printed.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const listening = Promise.withResolvers<string>();
  const printed: string[] = [];
  const open = new Set<string>();
  // The requests whose end was read before their beginning, because warnings come through another pipe.
  const over = new Set<string>();
  let served = 0;
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream] }).on('line', (line) => {
      const { message, url, function_request_id: id, outcome } = fieldsOf(line);
      if (message === 'Listening' && url !== undefined) listening.resolve(url);
      if (message === 'Request' && id !== undefined) {
        if (!over.delete(id)) open.add(id);
        served += 1;
      }
      if (outcome !== undefined && id !== undefined && !open.delete(id) && stream === 'stderr') over.add(id);
      if (printed.length < 20) printed.push(line.slice(0, 500));
      onLog({ environment: 1, stream, line });
    });
  }
  const limit = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
  void exited.then(() => listening.reject(new Error(`the server did not start:\n${printed.join('\n')}`)));
  const close = async () => {
    child.kill('SIGKILL');
    await exited;
    watchdog.close();
  };
  try {
    const url = await listening.promise;
    return {
      url,
      pid,
      exited,
      get environments() {
        const state = open.size > 0 ? ('busy' as const) : ('idle' as const);
        const slots = Math.max(open.size, 1);
        return Array.from({ length: slots }, () => ({
          id: 1,
          pid,
          state,
          frozen: false,
          invocations: served,
        }));
      },
      invoke: () => Promise.reject(new Error('a server takes requests, not events')),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

/** What a line of the log says, as far as it is used here. */
function fieldsOf(line: string): Record<string, string | undefined> {
  try {
    return JSON.parse(line) as Record<string, string | undefined>;
  } catch {
    return {};
  }
}
