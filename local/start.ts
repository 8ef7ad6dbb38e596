import { parseArgs } from 'node:util';
import type { LambdaRuntime, LogEntry } from './aws/lambda-runtime.ts';
import { readable } from './console-log.ts';
import { loopbackAccess } from './loopback.ts';
import { onParentExit } from './parent.ts';
import { createLiveMetrics } from './playground/live-metrics.ts';
import { playgroundHandler } from './playground/server.ts';
import { type SystemOptions, startSystem } from './system.ts';

const USAGE = `npm start -- [options]

  --agent <id>=<url>   use your own AgentCore container in place of a local agent,
                       for example --agent onboarding=ws://127.0.0.1:8080/ws
  --aws                use your agents in AWS, with your own credentials: those of the variable AGENTS,
                       of -c, or of config/<stage>.json
  -c <key>=<value>     CDK context for --aws, for example -c onboardingAgentArn=arn:aws:…
  --session-start-ms <n>
                       how long a new AgentCore session takes to start (1500)
  --allow-origin <origin>
                       lets pages of this origin use your own agents (--agent, --aws);
                       those of this machine always may
  --no-bandwidth       without Lambda's rate limit of 2 MB/s after the first 6 MB
  --sticky             hold small writes back until the next one, as a real Function URL may

PORT=<n> sets the port (3000; 0: any free one).`;

/** What AgentCore takes for a small agent. */
const SESSION_START_MS = 1500;

/** So long may closing take: nobody is there to press Ctrl-C a second time when the process was ended by its id. */
const CLOSE_TIMEOUT_MS = 5000;

const playground = playgroundHandler();
const metrics = createLiveMetrics({ environments: () => runtime?.environments ?? [] });

/** @throws Error that says what to write instead */
function readOptions(args: string[]): SystemOptions & { aws: boolean; context: string[] } {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      agent: { type: 'string', multiple: true, default: [] },
      aws: { type: 'boolean', default: false },
      context: { type: 'string', short: 'c', multiple: true, default: [] },
      'session-start-ms': { type: 'string' },
      'allow-origin': { type: 'string', multiple: true, default: [] },
      bandwidth: { type: 'boolean', default: true },
      sticky: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit();
  }
  const { aws, context } = values;
  if (context.length > 0 && !aws) {
    throw new Error(`-c is for --aws: write npm start -- --aws -c …`);
  }
  const sessionStart = values['session-start-ms'];
  if (sessionStart !== undefined && aws) {
    throw new Error('--session-start-ms is for the emulated AgentCore: AWS takes its own time');
  }
  const { PORT = '3000' } = process.env;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535)
    throw new Error(`PORT: expected 0 to 65535, got "${PORT}"`);
  return {
    aws,
    context,
    dataPlane: {
      sessionStartMs: sessionStart === undefined ? SESSION_START_MS : parseSessionStart(sessionStart),
    },
    replacedAgents: Object.fromEntries(values.agent.map(parseReplacement)),
    functionUrl: {
      port: Number(PORT),
      bandwidth: values.bandwidth,
      sticky: values.sticky,
      access: loopbackAccess({
        allowedOrigins: values['allow-origin'].map(parseOrigin),
        refusesOrigins: aws || values.agent.length > 0,
      }),
      page: (request, response) => metrics.handler(request, response) || playground(request, response),
    },
  };
}

function parseOrigin(option: string): string {
  if (/^https?:/.test(option) && URL.canParse(option) && new URL(option).origin === option) return option;
  throw new Error(`--allow-origin: expected an origin such as https://app.example.com, got "${option}"`);
}

function parseSessionStart(option: string): number {
  if (!/^\d{1,6}$/.test(option)) {
    throw new Error(`--session-start-ms: expected 0 to 999999 milliseconds, got "${option}"`);
  }
  return Number(option);
}

function parseReplacement(option: string): [id: string, target: string] {
  const [, id, url = ''] = /^([^=]+)=(.+)$/.exec(option) ?? [];
  const target = url.replace(/^ws/, 'http').replace(/\/ws$/, '');
  if (id === undefined || !URL.canParse(target) || !/^(ws|http):/.test(url)) {
    throw new Error(
      `--agent: expected <id>=<url> such as onboarding=ws://127.0.0.1:8080/ws, without TLS, as AgentCore reaches a container, got "${option}"`,
    );
  }
  return [id, target];
}

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
  const options = readOptions(process.argv.slice(2));
  const onLog = (entry: LogEntry) => {
    metrics.onLog(entry);
    const text = readable(entry);
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
