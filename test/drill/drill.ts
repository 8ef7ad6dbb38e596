import { Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { fieldOf, type LogLine, parseQuery, runbookQueries } from '../infra/logs-insights.ts';
import { observed, type WatchedHost } from '../infra/support.ts';
import { CloudWatch } from './cloudwatch.ts';
import type { Message } from './composite-alarm.ts';
import { HEALTHY, INCIDENTS, type Incident } from './incidents.ts';
import {
  AGENT_IDS,
  type Recorded,
  type Recording,
  recordFailedStart,
  runtimeArnOf,
  startRecorder,
} from './recording.ts';
import { type Pool, play, randomFrom } from './traffic.ts';

const MINUTE_MS = 60_000;

/** So long it is well before, as the alarms of an hour want to know. */
const BEFORE_MIN = 60;
const AFTER_MIN = 45;
/** Real requests of each kind and agent, of which the traffic is drawn. */
const SAMPLES = 2;

const templates = new Map<WatchedHost, Template>();

/** The alarms of a production deployment whose topic is told of everything; no state is shared. */
export function deployedAlarms(host: WatchedHost): CloudWatch {
  const topic = () => Topic.fromTopicArn(new Stack(), 'Topic', 'arn:aws:sns:us-east-1:111122223333:alarms');
  const template =
    templates.get(host) ??
    observed({ alarmActions: [new SnsAction(topic())], notifyAll: true }, { host, sessions: 'dynamodb' });
  templates.set(host, template);
  return new CloudWatch(template);
}

/** What may happen on a host, by name. */
export function incidentsOn(host: WatchedHost): [name: string, incident: Incident][] {
  return Object.entries(INCIDENTS).filter(([, incident]) => (incident.host ?? host) === host);
}

/** Records answers that are well, of each agent. */
export async function recordHealthy(host: WatchedHost): Promise<Pool> {
  return recordAll(host, AGENT_IDS, {}, HEALTHY);
}

/** Injects an incident, and records what it makes of the requests of its agents. */
export async function recordIncident(host: WatchedHost, incident: Incident): Promise<Pool> {
  return recordAll(host, incident.agents, incident, incident.prompt ?? HEALTHY);
}

/** Each agent in a system of its own, at the same time. */
async function recordAll(
  host: WatchedHost,
  agents: readonly string[],
  incident: Partial<Incident>,
  prompt: string,
): Promise<Pool> {
  const on = { host, functionName: deployedAlarms(host).functionName };
  const recorded = agents.map(
    async (agent) => [agent, await recordAgent(on, agent, incident, prompt)] as const,
  );
  return Object.fromEntries(await Promise.all(recorded));
}

async function recordAgent(
  on: Recorded,
  agent: string,
  incident: Partial<Incident>,
  prompt: string,
): Promise<Recording[]> {
  if (incident.ends === 'start') return [await recordFailedStart(incident.recorder ?? {})];
  const recorder = await startRecorder(on, incident.recorder);
  try {
    // What is loaded with the first answer takes long in a time that is made longer.
    await recorder.record(agent, HEALTHY);
    if (incident.ends === 'crash') return [await recorder.recordCrash(agent, prompt)];
    const recordings: Recording[] = [];
    for (let i = 0; i < SAMPLES; i += 1) {
      recorder.system.dataPlane.fault(runtimeArnOf(agent), incident.fault, incident.isPassing && 1);
      recordings.push(await recorder.record(agent, prompt));
    }
    return recordings;
  } finally {
    await recorder.close();
  }
}

export interface DrillOptions {
  readonly host: WatchedHost;
  readonly healthy: Pool;
  readonly incident: Incident;
  /** What the incident makes of requests. */
  readonly pool: Pool;
  readonly requestsPer5Min: number;
  readonly seed: number;
  /** How long it lasts. @default 30, and 120 where an hour has hardly any requests */
  readonly lastsMin?: number;
}

/** What somebody was told, in minutes after the incident began. */
export interface ToldMessage extends Pick<Message, 'alarm' | 'state' | 'reason'> {
  readonly afterMin: number;
}

/** Plays an incident in the midst of healthy traffic, and says who is told what, when. */
export function drill(options: DrillOptions): ToldMessage[] {
  const { host, healthy, incident, pool, requestsPer5Min, seed } = options;
  const alarms = deployedAlarms(host);
  const lastsMin = options.lastsMin ?? (requestsPer5Min < 5 ? 120 : 30);
  const fromMs = BEFORE_MIN * MINUTE_MS;
  const toMs = fromMs + lastsMin * MINUTE_MS;
  const untilMs = toMs + AFTER_MIN * MINUTE_MS;
  play(
    alarms.store,
    {
      requestsPer5Min,
      healthy: of(alarms, healthy),
      incident: { pool: of(alarms, pool), share: incident.share ?? 1, fromMs, toMs },
      untilMs,
    },
    randomFrom(seed),
  );
  alarms.run(0, untilMs);
  return alarms.messages.map(({ atMs, alarm, state, reason }) => ({
    alarm,
    state,
    reason,
    afterMin: (atMs - fromMs) / MINUTE_MS,
  }));
}

/** Only the series that an alarm looks at. */
export function of(alarms: CloudWatch, pool: Pool): Pool {
  const { series } = alarms;
  return Object.fromEntries(
    Object.entries(pool).map(([agent, recordings]) => [
      agent,
      recordings.map((one) => ({
        ...one,
        metrics: one.metrics.filter(({ sample }) => series.has(sample.series)),
      })),
    ]),
  );
}

/** The first line of an incident's log that the first query of its article finds. */
export function lineFound({ article }: Incident, pool: Pool): LogLine | undefined {
  const [lines] = runbookQueries(article);
  if (!lines) throw new Error(`the runbook's article "${article}" has no query`);
  // What a reader is told to put in is there.
  const query = parseQuery(
    lines.map((line) => line.replace(/"the agent's id"/, JSON.stringify(Object.keys(pool)[0]))),
  );
  return Object.values(pool)
    .flat()
    .flatMap((recording) => recording.lines)
    .find(query.matches);
}

/** What a line has in the fields that the incident is to be known by. */
export function fieldsFound({ finds = {} }: Incident, line: LogLine): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(finds).map((field) => [field, fieldOf(line, field)]));
}
