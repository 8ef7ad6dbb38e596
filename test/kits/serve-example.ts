import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/**
 * Serves the built example of a folder, with CopilotKit's runtime where it has one, and prints `ready <url>`:
 * `node serve-example.ts <folder>`, with the service in `AGENTS_URL`.
 */
async function serve(folder: string): Promise<void> {
  const runtime = await import(join(folder, 'runtime.ts')).catch((error) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND' && String(error.message).includes('runtime.ts')) return {};
    throw error;
  });
  const { listener } = runtime as { listener?: RequestListener };
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (listener && path.startsWith('/api/copilotkit')) return listener(request, response);
    try {
      const file = join(folder, 'dist', path === '/' ? 'index.html' : path);
      const type = TYPES[extname(file)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}

void serve(process.argv[2] as string);
