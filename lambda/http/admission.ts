import type { Log } from '../agentcore/exchange.ts';
import type { Agent } from '../agents.ts';
import type { InvokeRequest, Protocol } from '../answer/protocol.ts';
import { takesRun } from '../dialects/input.ts';
import { StreamError, toStreamError } from '../errors.ts';
import { readObject } from './body.ts';
import type { Call } from './call.ts';
import { requestedAgent, requireAgent } from './requested-agent.ts';

/** A request that will be answered. */
export interface Admitted {
  asked: InvokeRequest;
  agent: Agent;
  /** How long its answer may take. */
  limitMs: number;
}

/**
 * Reads a request for an answer. One that is refused is logged like one that is answered.
 *
 * @param pathAgentId the agent that the path names, if it names one
 * @throws StreamError for a request that is not valid, an agent that is not configured
 */
export async function admit(
  call: Call,
  protocol: Protocol,
  pathAgentId: string | undefined,
): Promise<Admitted> {
  const { request, telemetry } = call;
  const body = await readObject(request);
  let asked: InvokeRequest | undefined;
  try {
    asked = protocol.readRequest(body, readOptionsOf(call, pathAgentId));
    return { asked, agent: agentOf(asked, call), limitMs: limitOf(asked, call) };
  } catch (thrown) {
    const refused = toStreamError(thrown);
    const { agentId, prompt } = body;
    logRequest(
      telemetry.log,
      asked ?? {
        agentId: pathAgentId ?? agentId,
        promptBytes: typeof prompt === 'string' ? Buffer.byteLength(prompt) : undefined,
        sessionId: refused.details.sessionId,
      },
    );
    throw refused;
  }
}

function readOptionsOf({ upstream }: Call, pathAgentId: string | undefined) {
  const { agents, maxPromptBytes } = upstream.config;
  return {
    ...(pathAgentId !== undefined && { agentId: pathAgentId }),
    maxPromptBytes,
    takesRun: (agentId: string | undefined) => {
      const agent = requestedAgent(agents, agentId);
      return agent !== undefined && takesRun(agent.entry);
    },
  };
}

function agentOf(asked: InvokeRequest, { upstream, telemetry }: Call): Agent {
  const { agentId, sessionId, sessionReplaced, payload } = asked;
  const agent = requireAgent(upstream.config.agents, agentId, sessionId);
  telemetry.about({
    agent: agent.entry.id,
    session_id: sessionId,
    ...(sessionReplaced && { session_replaced: true }),
  });
  if (payload !== undefined && agent.entry.payload !== 'merge') {
    const expected = 'nothing, as the entry of this agent does not allow it';
    throw new StreamError('BadRequest', `"payload": expected ${expected}, got an object`, {
      details: { sessionId, fields: ['payload'] },
    });
  }
  return agent;
}

function limitOf({ sessionId }: InvokeRequest, { upstream, remainingMs }: Call): number {
  const { maxDurationMs, deadlineReserveMs } = upstream.config;
  const limitMs = Math.min(maxDurationMs, remainingMs() - deadlineReserveMs);
  if (limitMs > 0) return limitMs;
  throw new StreamError('AgentTimeout', 'no time is left for an answer', { details: { sessionId } });
}

/** The longest name of an agent is that of an ARN. */
const MAX_AGENT_ID_LENGTH = 256;

/** Says what is asked of whom, the agent as it was named, and nothing of what the prompt says. */
export function logRequest(
  log: Log,
  asked: { agentId?: unknown; promptBytes: number | undefined; sessionId: string | undefined },
): void {
  const { agentId, promptBytes, sessionId } = asked;
  log.info('Request', {
    agent_id: typeof agentId === 'string' ? agentId.slice(0, MAX_AGENT_ID_LENGTH) : undefined,
    prompt_bytes: promptBytes,
    session_id: sessionId,
  });
}
