import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const AGENT_ARN = 'arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/Bench-0123456789';

const TLS_FOLDER = join(import.meta.dirname, '../test/fixtures/tls');
/** For NODE_EXTRA_CA_CERTS of whoever goes to the far data plane. */
export const CA_FILE = join(TLS_FOLDER, 'ca.pem');

export function readTls(): { key: string; cert: string } {
  const read = (name: string) => readFileSync(join(TLS_FOLDER, name), 'utf8');
  return { key: read('server-key.pem'), cert: read('server.pem') };
}

export interface UpstreamUrls {
  /** Plain, on this machine. */
  near: string;
  /** TLS, 20 ms away. */
  far: string;
}

export interface UpstreamProcess extends UpstreamUrls {
  close(): void;
}

/** Starts the agent and the data planes before it, in a process of their own. */
export async function startUpstream(): Promise<UpstreamProcess> {
  const child = fork(join(import.meta.dirname, 'agent.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [urls] = (await once(child, 'message')) as [UpstreamUrls];
  return { ...urls, close: () => void child.kill() };
}
