import type { Answered, Call } from './call.ts';
import { requireAgent } from './requested-agent.ts';

/**
 * Answers a kit that asks, when its page has been loaded again, for an answer of a chat that is still running: there
 * is none, as an answer ends with its request.
 *
 * @throws StreamError AgentNotFound
 */
export async function answerChatStream(call: Call, { agentId }: { agentId?: string }): Promise<Answered> {
  if (agentId !== undefined) requireAgent(call.upstream.config.agents, agentId);
  const answer = call.respond({ statusCode: 204, headers: { 'Cache-Control': 'no-store' } });
  // The status leaves only with a write. What is in front of this keeps the byte, as a 204 has no body.
  answer.write('\n');
  answer.end();
  return {};
}
