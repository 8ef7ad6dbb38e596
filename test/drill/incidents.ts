import { type DataPlaneFault, FAULTS } from '../../local/faults/data-plane-faults.ts';
import { type Step, script } from '../fixtures/puppet-agent.ts';
import type { WatchedHost } from '../infra/support.ts';
import { AGENT_IDS, type RecorderOptions } from './recording.ts';

/** Something that goes wrong, and what somebody on call is to have of it. */
export interface Incident {
  /** The one host that it can happen on. @default - any */
  readonly host?: WatchedHost;
  /** Whose requests it meets. */
  readonly agents: readonly string[];
  /** Of their requests. @default - all of them */
  readonly share?: number;
  /** What the agents are made to do. @default - to answer well */
  readonly prompt?: string;
  /** What AgentCore does. @default - what it should */
  readonly fault?: DataPlaneFault;
  /** Only the first attempt of each request meets the fault. */
  readonly isPassing?: true;
  /** What ends the server: the start that fails, or a bug that a request meets. @default - it goes on */
  readonly ends?: 'start' | 'crash';
  /** A system of its own, with limits short enough to be waited for. */
  readonly recorder?: RecorderOptions;
  /** In requests in 5 minutes: who is told; nobody where it is undefined. */
  readonly told: Readonly<Record<number, Told | undefined>>;
  /** Heading of the article that the message leads to. */
  readonly article: string;
  /** Fields of a line that the article's first query finds. @default - the log says nothing */
  readonly finds?: Readonly<Record<string, RegExp>>;
}

export interface Told {
  /** The alarm that tells. */
  readonly by: string;
  /** What its reason names. */
  readonly reason: RegExp;
  /** After so many minutes at the latest. */
  readonly withinMin: number;
  /** With so few requests it may seem to be over in between. */
  readonly mayRecur?: true;
}

const { refuse, slowUpgrade } = FAULTS;
const DONE: Step = { send: '[DONE]' };
export const HEALTHY = script({ sleepMs: 10 }, { send: 'some ' }, { send: 'text' }, DONE);

/** Limits of 300 s as 1,500 ms, and a minute as 300 ms. */
const FIVE_MINUTES_IN_1500_MS: RecorderOptions = {
  slowedDown: 200,
  environment: { FIRST_CHUNK_TIMEOUT_MS: '1500', IDLE_TIMEOUT_MS: '1500', IN_FLIGHT_INTERVAL_MS: '300' },
};

const atAnyTraffic = (by: string, reason: RegExp, few: number, many: number) => ({
  20: { by, reason, withinMin: few },
  2000: { by, reason, withinMin: many },
});
const ofAll = atAnyTraffic('UsersAreAffected', /^OneAgentFails/, 12, 2);

/** By name. */
export const INCIDENTS: Readonly<Record<string, Incident>> = {
  'an agent that fails': {
    agents: ['mwc'],
    prompt: script({ send: JSON.stringify({ type: 'error', error_type: 'ModelError', message: 'no' }) }),
    told: atAnyTraffic('AgentFailsmwc', /^OneAgentFailsmwc$/, 15, 5),
    article: 'One agent fails',
    finds: { agent: /^mwc$/, code: /^AgentFailed$/ },
  },
  'a runtime that is gone': {
    agents: ['provisioning'],
    fault: refuse(404, 'ResourceNotFoundException', 'No endpoint or agent found with qualifier DEFAULT'),
    told: atAnyTraffic('AgentFailsprovisioning', /^OneAgentFailsprovisioning$/, 15, 5),
    article: 'One agent fails',
    finds: { agent: /^provisioning$/, code: /^AgentNotFound$/, cause: /No endpoint or agent found/ },
  },
  'a container that dies within its answers': {
    agents: ['onboarding'],
    share: 0.7,
    prompt: script({ send: 'some ' }, { sleepMs: 20 }, { drop: true }),
    told: atAnyTraffic('AgentFailsonboarding', /^OneAgentFailsonboarding$/, 15, 6),
    article: 'One agent fails',
    finds: { agent: /^onboarding$/, code: /^AgentInterrupted$/ },
  },
  'an agent that hangs': {
    agents: ['mwc'],
    prompt: script({ sleepMs: 60_000 }),
    recorder: FIVE_MINUTES_IN_1500_MS,
    told: atAnyTraffic('AgentFailsmwc', /^OneAgentHangsmwc$/, 15, 7),
    article: 'An agent hangs',
    finds: { agent: /^mwc$/, message: /^Request$/ },
  },
  'an agent that marks no end': {
    agents: ['mwc'],
    prompt: script({ send: 'some text' }),
    recorder: FIVE_MINUTES_IN_1500_MS,
    told: atAnyTraffic('AgentFailsmwc', /^OneAgentFailsmwc$/, 20, 10),
    article: 'One agent fails',
    finds: { agent: /^mwc$/, code: /^AgentTimeout$/, reason: /sent nothing for/ },
  },
  'a permission that is missing': {
    agents: AGENT_IDS,
    fault: refuse(403, 'AccessDeniedException', 'User: x is not authorized to perform: y'),
    told: ofAll,
    article: 'Users are affected',
    finds: { code: /^AccessDenied$/, cause: /is not authorized/ },
  },
  'credentials that have expired': {
    agents: AGENT_IDS,
    fault: refuse(403, 'ExpiredTokenException', 'The security token included in the request is expired'),
    told: ofAll,
    article: 'Users are affected',
    finds: { code: /^Unauthenticated$/ },
  },
  'AgentCore is down': {
    agents: AGENT_IDS,
    fault: refuse(503, 'ServiceUnavailableException'),
    told: ofAll,
    article: 'Users are affected',
    finds: { code: /^AgentUnavailable$/, cause: /503/ },
  },
  'the quota of sessions is used up': {
    agents: AGENT_IDS,
    fault: refuse(402, 'ServiceQuotaExceededException', 'maxVms limit exceeded'),
    told: ofAll,
    article: 'Users are affected',
    finds: { code: /^AgentUnavailable$/, cause: /402/ },
  },
  'a function that does not start': {
    host: 'function-url',
    agents: AGENT_IDS,
    recorder: { environment: { PING_INTERVAL_MS: 'x' } },
    told: atAnyTraffic('UsersAreAffected', /^FunctionErrors$/, 5, 2),
    article: 'Function errors',
    finds: { 'message.errorMessage': /^PING_INTERVAL_MS: expected/ },
  },
  'no concurrency is left': {
    host: 'function-url',
    agents: AGENT_IDS,
    recorder: { runtime: { maxEnvironments: 0 } },
    told: atAnyTraffic('UsersAreAffected', /^Throttles$/, 5, 2),
    article: 'Throttles',
  },
  'a server that does not start': {
    host: 'web',
    agents: AGENT_IDS,
    ends: 'start',
    recorder: { environment: { PING_INTERVAL_MS: 'x' } },
    told: atAnyTraffic('UsersAreAffected', /^ServerStartFailures$/, 5, 2),
    article: 'The server cannot start',
    finds: { 'error.message': /^PING_INTERVAL_MS: expected/ },
  },
  'an error that nobody caught': {
    host: 'web',
    agents: AGENT_IDS,
    share: 0.02,
    ends: 'crash',
    prompt: script({ send: 'some ' }, { sleepMs: 60_000 }),
    recorder: { environment: { SHUTDOWN_GRACE_MS: '400' } },
    told: {
      // Hardly two requests in 15 minutes meet it.
      20: { by: 'Degraded', reason: /^ServerCrashes$/, withinMin: 30, mayRecur: true },
      2000: { by: 'Degraded', reason: /^ServerCrashes$/, withinMin: 6 },
    },
    article: 'Uncaught',
    finds: { 'error.message': /^a bug$/ },
  },
  'a session store that is gone': {
    agents: AGENT_IDS,
    recorder: { environment: { SESSION_TABLE: 'sessions', AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' } },
    told: atAnyTraffic('Degraded', /^SessionStore$/, 20, 15),
    article: 'The session store fails',
    finds: { 'error.message': /ECONNREFUSED/ },
  },
  'throttling that a retry gets over': {
    agents: AGENT_IDS,
    share: 0.5,
    fault: refuse(429, 'ThrottlingException'),
    isPassing: true,
    told: atAnyTraffic('Degraded', /^ConnectionFailures$/, 20, 15),
    article: 'Connection failures',
    finds: { code: /^Throttled$/, message: /^Attempt failed, trying again$/ },
  },
  'sessions that start slowly': {
    agents: AGENT_IDS,
    fault: slowUpgrade(6000),
    told: atAnyTraffic('Degraded', /^SlowConnections$/, 12, 6),
    article: 'Slow connections',
    finds: { upgrade_ms: /^6\d{3}$/ },
  },
  'one agent becomes slow': {
    agents: ['mwc'],
    prompt: script({ sleepMs: 3000 }, { send: 'some text' }, DONE),
    told: atAnyTraffic('Degraded', /^SlowFirstChunkmwc$/, 20, 7),
    article: 'Slow first chunk',
    finds: { agent: /^mwc$/, first_chunk_ms: /^3\d{3}$/ },
  },
  'answers that break off now and then': {
    agents: AGENT_IDS,
    share: 0.03,
    prompt: script({ send: 'some ' }, { sleepMs: 20 }, { drop: true }),
    // Of 20 requests it is not one: nobody could tell it from an accident.
    told: { 20: undefined, 2000: { by: 'Degraded', reason: /^IncompleteResponses$/, withinMin: 20 } },
    article: 'Incomplete responses',
    finds: { code: /^AgentInterrupted$/, message: /^Answer interrupted$/ },
  },
  'agents that are seldom asked fail': {
    agents: AGENT_IDS,
    prompt: script({ send: JSON.stringify({ type: 'error', message: 'no' }) }),
    // Twelve in an hour, four of each agent.
    told: { 1: { by: 'UsersAreAffected', reason: /^OneAgentFailsInAnHour/, withinMin: 100, mayRecur: true } },
    article: 'Failures at low traffic',
    finds: { code: /^AgentFailed$/ },
  },
};
