import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** An agent in a process of its own, which ends with the process that has started it. */
export interface AgentProcess {
  child: ChildProcess;
  /** Kills it, as the end of its microVM would; an answer that it was sending is cut. */
  kill(): Promise<void>;
}

/** What every process of this project preloads. */
const PRELOAD = fileURLToPath(new URL('../require-node.cjs', import.meta.url));
const READY_TIMEOUT_MS = 20_000;

/**
 * Starts an agent without waiting for it.
 *
 * @param file its TypeScript module
 * @param environment all variables that it has beside PATH; its server listens on `PORT`
 */
export function spawnAgent(file: string, environment: Record<string, string>): AgentProcess {
  const child = spawn(process.execPath, ['-r', PRELOAD, '--disable-warning=FSTDEP023', file], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
    env: { PATH: process.env.PATH, ...environment },
  });
  return {
    child,
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

/**
 * Waits until an agent answers `/ping`.
 *
 * @throws Error where it ends first, or takes over 20 s
 */
export async function agentIsReady(target: string, name: string, { child }: AgentProcess): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${name} exited with code ${child.exitCode} while starting`);
    const answered = await fetch(`${target}/ping`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${name} did not answer ${target}/ping within ${READY_TIMEOUT_MS / 1000} s`);
}

/** Ports that are free now. The agents' server does not say which one it took, so that it must be told. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  return Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          const address = server.address();
          server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
        }),
    ),
  );
}
