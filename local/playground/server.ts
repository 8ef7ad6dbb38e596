import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

/** Answers a request for the page or a part of it; false when the request is for somebody else. */
export type PlaygroundHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

interface Asset {
  contentType: string;
  body: string | Uint8Array;
}

const FOLDER = import.meta.dirname;

const CONTENT_TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The page shows what an agent wrote. Whatever that is, it runs nothing, loads nothing and calls nobody else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the page for trying agents out: `GET /` where `Accept` names text/html, and its parts under
 * `/playground/`. The page is bundled into memory once, when it is first asked for, so that who only calls the service
 * does not pay for it. It lists the agents with `GET /api/agents/list` and sends prompts to `POST /`, both on its own
 * origin.
 *
 * @param options.keepsSessions whether the service does, so that the page can start, stop and resume answers
 */
export function playgroundHandler({ keepsSessions = false } = {}): PlaygroundHandler {
  let bundled: ReturnType<typeof bundle> | undefined;
  return async (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const isPage = path === '/' && request.headers.accept?.includes('text/html') === true;
    if (request.method !== 'GET' || !(isPage || path.startsWith('/playground/'))) return false;
    bundled ??= bundle(keepsSessions);
    const asset = (await bundled).get(path);
    if (!asset) return false;
    response.writeHead(200, {
      'Content-Type': asset.contentType,
      'Cache-Control': 'no-store',
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(asset.body);
    return true;
  };
}

async function bundle(keepsSessions: boolean): Promise<Map<string, Asset>> {
  const [html, { outputFiles }] = await Promise.all([
    readFile(join(FOLDER, 'index.html'), 'utf8'),
    build({
      entryPoints: [join(FOLDER, 'playground.ts'), join(FOLDER, 'playground.css')],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      legalComments: 'none',
      outdir: FOLDER,
      write: false,
      logLevel: 'silent',
    }),
  ]);
  const assets = new Map<string, Asset>([
    [
      '/',
      {
        contentType: 'text/html; charset=utf-8',
        body: keepsSessions ? html.replace('<html ', '<html data-sessions="kept" ') : html,
      },
    ],
  ]);
  for (const { path, contents } of outputFiles) {
    const name = basename(path);
    const contentType = CONTENT_TYPES[name.slice(name.lastIndexOf('.'))] ?? 'application/octet-stream';
    assets.set(`/playground/${name}`, { contentType, body: contents });
  }
  return assets;
}
