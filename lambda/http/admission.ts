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
  invokeRequest: InvokeRequest;
  agent: Agent;
  /** The longest time that the answer may take. */
  limitMs: number;
}

/**
 * Reads a request for an answer. A refused request is logged like an answered one.
 *
 * @param pathAgentId the agent that the path names, if any
 * @throws StreamError when the request is not valid or its agent is not configured
 */
export async function admit(
  call: Call,
  protocol: Protocol,
  pathAgentId: string | undefined,
): Promise<Admitted> {
  const { request, telemetry } = call;
  const body = await readObject(request);
  let invokeRequest: InvokeRequest | undefined;
  try {
    invokeRequest = protocol.readRequest(body, readOptionsOf(call, pathAgentId));
    return { invokeRequest, agent: agentOf(invokeRequest, call), limitMs: limitOf(invokeRequest, call) };
  } catch (thrown) {
    const refused = toStreamError(thrown);
    const { agentId, prompt } = body;
    logRequest(
      telemetry.log,
      invokeRequest ?? {
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

function agentOf(invokeRequest: InvokeRequest, { upstream, telemetry }: Call): Agent {
  const { agentId, sessionId, sessionReplaced, payload } = invokeRequest;
  const agent = requireAgent(upstream.config.agents, agentId, sessionId);
  telemetry.about({
    agent: agent.entry.id,
    session_id: sessionId,
    ...(sessionReplaced && { session_replaced: true }),
  });
  if (payload !== undefined && agent.entry.payload !== 'merge') {
    const expected = 'nothing, because the entry of this agent does not allow it';
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

/** The length of an agent's longest name, which is its ARN. */
const MAX_AGENT_ID_LENGTH = 256;

/** Logs the agent as the caller named it, the size of the prompt and the session. The prompt itself is never logged. */
export function logRequest(
  log: Log,
  fields: { agentId?: unknown; promptBytes: number | undefined; sessionId: string | undefined },
): void {
  const { agentId, promptBytes, sessionId } = fields;
  log.info('Request', {
    agent_id: typeof agentId === 'string' ? agentId.slice(0, MAX_AGENT_ID_LENGTH) : undefined,
    prompt_bytes: promptBytes,
    session_id: sessionId,
  });
}
