import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';

/** A web site of somebody else: an empty page, with our client as the global `client`. */
export interface Site {
  origin: string;
  close(): Promise<void>;
}

const PAGE = '<!doctype html><title>A page elsewhere</title><script src="/client.js"></script>';

/** Serves a page on an origin of its own. */
export async function startSite(): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../../client/stream-agent.ts')],
    bundle: true,
    format: 'iife',
    globalName: 'client',
    target: 'es2022',
    write: false,
  });
  const script = outputFiles[0]?.contents;
  const server = createServer((request, response) => {
    if (request.url === '/client.js') {
      response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(script);
    } else if (request.url === '/') {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
