import { BUNDLE_FOLDER, SERVER_FOLDER } from '../lib/bundle.ts';
import { CORS } from '../lib/cors.ts';
import { type Cors, type FunctionUrlOptions, startFunctionUrl } from './aws/function-url.ts';
import { type LambdaRuntime, type LambdaRuntimeOptions, startLambdaRuntime } from './aws/lambda-runtime.ts';
import { startServerProcess } from './aws/server-process.ts';
import { startWebEndpoint } from './aws/web-endpoint.ts';

/** What every host is told. */
export interface HostOptions {
  environment: Record<string, string>;
  allowedOrigins: readonly string[];
  runtime?: Partial<Omit<LambdaRuntimeOptions, 'environment'>> | undefined;
  functionUrl?: Omit<FunctionUrlOptions, 'runtime' | 'cors'> | undefined;
  onLog: NonNullable<LambdaRuntimeOptions['onLog']>;
}

/** A host that runs. */
export interface RunningHost {
  /** Without a trailing slash. */
  url: string;
  runtime: LambdaRuntime;
  close(): Promise<void>;
}

/** The construct's CORS settings, for these origins. */
function corsFor(allowedOrigins: readonly string[]): Cors {
  return {
    allowedOrigins,
    allowedHeaders: CORS.allowHeaders,
    allowedMethods: CORS.allowMethods,
    exposedHeaders: CORS.exposeHeaders,
    maxAgeSeconds: CORS.maxAgeSeconds,
  };
}

/** What the same core runs on; a further host is a line here. */
export const HOSTS = {
  'function-url': startOnFunctionUrl,
  server: startOnServer,
} as const satisfies Record<string, (options: HostOptions) => Promise<RunningHost>>;

export type HostName = keyof typeof HOSTS;

/**
 * @param label what the name is called where it came from
 * @throws Error naming it, what was expected and what came
 */
export function hostNamed(label: string, name: string): HostName {
  if (Object.hasOwn(HOSTS, name)) return name as HostName;
  throw new Error(`${label}: expected one of ${Object.keys(HOSTS).join(', ')}, got "${name}"`);
}

/** Lambda behind a Function URL: one request a process. */
async function startOnFunctionUrl(options: HostOptions): Promise<RunningHost> {
  const { environment, allowedOrigins, onLog } = options;
  const runtime = startLambdaRuntime({ folder: BUNDLE_FOLDER, ...options.runtime, environment, onLog });
  try {
    const front = await startFunctionUrl({ ...options.functionUrl, runtime, cors: corsFor(allowedOrigins) });
    return both(front, runtime);
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** The server, many requests a process: alone as in a container, or where there are pages behind Lambda's endpoint. */
async function startOnServer(options: HostOptions): Promise<RunningHost> {
  const { access, page, port } = options.functionUrl ?? {};
  const { folder = SERVER_FOLDER, timeoutMs, preload = [] } = options.runtime ?? {};
  const runtime = await startServerProcess({
    folder,
    preload,
    // What is preloaded may ask for a collection.
    flags: preload.length > 0 ? ['--expose-gc'] : [],
    environment: {
      AWS_REGION: 'us-east-1',
      ALLOWED_ORIGINS: options.allowedOrigins.join(','),
      ...(timeoutMs !== undefined && { REQUEST_TIMEOUT_MS: String(timeoutMs) }),
      ...(page && { AWS_LAMBDA_HTTP_ENDPOINT: '127.0.0.1:0' }),
      ...options.environment,
    },
    onLog: options.onLog,
  });
  if (!page) return { url: runtime.url, runtime, close: () => runtime.close() };
  try {
    return both(
      await startWebEndpoint({
        page,
        ...(access && { access }),
        ...(port !== undefined && { port }),
        target: runtime.url,
      }),
      runtime,
    );
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** What stands in front is closed first. */
function both(front: { url: string; close(): Promise<void> }, runtime: LambdaRuntime): RunningHost {
  return {
    url: front.url,
    runtime,
    close: async () => {
      await front.close();
      await runtime.close();
    },
  };
}
