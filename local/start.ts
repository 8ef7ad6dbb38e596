import type { LambdaRuntime, LogEntry } from './aws/lambda-runtime.ts';
import { readable } from './console-log.ts';
import { onParentExit } from './parent.ts';
import { createLiveMetrics } from './playground/live-metrics.ts';
import { playgroundHandler } from './playground/server.ts';
import { readOptions, USAGE } from './start-options.ts';
import { startSystem } from './system.ts';

/** So long may closing take: nobody is there to press Ctrl-C a second time when the process was ended by its id. */
const CLOSE_TIMEOUT_MS = 5000;

const metrics = createLiveMetrics({ environments: () => runtime?.environments ?? [] });

let close = async () => {};
let runtime: LambdaRuntime | undefined;
let closing = false;

/** Ends everything in order; the second time at once, what is left behind being ended by its watchdog. */
function end(): void {
  if (closing) process.exit(130);
  closing = true;
  close().then(
    () => process.exit(),
    () => process.exit(1),
  );
  setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
}

// A hangup is left to its default: it ends the process, or, behind nohup, nothing.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
onParentExit(process.env.STARTED_BY_PID, end);

try {
  const options = readOptions(
    process.argv.slice(2),
    (request, response) => metrics.handler(request, response) || playground(request, response),
  );
  const playground = playgroundHandler({ keepsSessions: options.sessions === true });
  const onLog = (entry: LogEntry) => {
    metrics.onLog(entry);
    const text = options.log === 'json' ? entry.line : readable(entry);
    if (text !== undefined) console.error(text);
  };
  // CDK, which reads the context, is loaded only where it is needed.
  const system = options.aws
    ? await (await import('./aws-system.ts')).startAwsSystem({ ...options, onLog })
    : await startSystem({ ...options, onLog });
  ({ close, runtime } = system);
  console.log(`ready ${system.url}`);
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') console.error(`${message}. Choose another port: PORT=3001 npm start`);
  else console.error(code?.startsWith('ERR_PARSE_ARGS') ? `${message}\n\n${USAGE}` : message);
  process.exit(1);
}
