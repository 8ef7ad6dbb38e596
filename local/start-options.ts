import { parseArgs } from 'node:util';
import { LOCAL_AGENT_IDS } from './agents/agents.ts';
import { readAgentsFile } from './agents-file.ts';
import type { FunctionUrlOptions } from './aws/function-url.ts';
import { hostNamed } from './hosts.ts';
import { loopbackAccess } from './loopback.ts';
import type { SystemOptions } from './system.ts';

export const USAGE = `npm start -- [options]

  --agents <file>      use the agents of a deployment: the JSON of its context key agents, or a file
                       that has that key, such as config/dev.json
  --agent <id>=<url>   use your own AgentCore container for an agent, for example
                       --agent onboarding=ws://127.0.0.1:8080/ws
  --aws                use your agents in AWS, with your own credentials: those of --agents, of the
                       variable AGENTS, of -c, or of config/<stage>.json
  -c <key>=<value>     CDK context for --aws, for example -c onboardingAgentArn=arn:aws:…
  --session-start-ms <n>
                       how long a new AgentCore session takes to start (1500)
  --allow-origin <origin>
                       lets pages of this origin use your own agents (--agent, --aws);
                       those of this machine always may
  --host <name>        what the service runs on: function-url, or server, as in a Web Function or a container
  --log <form>         what the service writes: words (warnings and errors), or json (every line of its log, as it is)
  --no-sessions        keeps no sessions: no resume, no stop, no single flight (so it is with --aws)
  --no-bandwidth       without Lambda's rate limit of 2 MB/s after the first 6 MB
  --sticky             hold small writes back until the next one, as a real Function URL may

PORT=<n> sets the port (3000; 0: any free one).`;

/** What AgentCore takes for a small agent. */
const SESSION_START_MS = 1500;

type Page = NonNullable<FunctionUrlOptions['page']>;

const LOG_FORMS = ['words', 'json'] as const;
type LogForm = (typeof LOG_FORMS)[number];

/** What the command line of `npm start` says. */
export interface StartOptions extends SystemOptions {
  /** Whether the agents are those in AWS. */
  aws: boolean;
  /** Whether the terminal shows warnings and errors in words, or every line of the service's log as it is. */
  log: LogForm;
  /** CDK context, `key=value`. */
  context: string[];
}

/**
 * Reads the command line, and PORT.
 *
 * @param page answers before the function does
 * @throws Error that says what to write instead
 */
export function readOptions(args: string[], page: Page): StartOptions {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      agent: { type: 'string', multiple: true, default: [] },
      agents: { type: 'string' },
      aws: { type: 'boolean', default: false },
      context: { type: 'string', short: 'c', multiple: true, default: [] },
      'session-start-ms': { type: 'string' },
      'allow-origin': { type: 'string', multiple: true, default: [] },
      bandwidth: { type: 'boolean', default: true },
      sticky: { type: 'boolean', default: false },
      sessions: { type: 'boolean', default: true },
      host: { type: 'string', default: 'function-url' },
      log: { type: 'string', default: 'words' },
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
  if (aws && values.agent.length > 0) {
    throw new Error('--agent is for a container on this machine: leave it or --aws out');
  }
  const configured =
    values.agents === undefined ? undefined : readAgentsFile(values.agents, { standsIn: !aws });
  const { PORT = '3000' } = process.env;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535)
    throw new Error(`PORT: expected 0 to 65535, got "${PORT}"`);
  return {
    aws,
    context,
    log: parseLogForm(values.log),
    host: hostNamed('--host', values.host),
    sessions: values.sessions && !aws,
    // Without entries of one's own, ToolsAgent as well.
    ...(configured ? { configured } : { agents: { only: LOCAL_AGENT_IDS } }),
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
      page,
    },
  };
}

function parseLogForm(option: string): LogForm {
  const form = LOG_FORMS.find((one) => one === option);
  if (form === undefined) throw new Error(`--log: expected words or json, got "${option}"`);
  return form;
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
