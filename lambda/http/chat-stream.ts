import { uiMessageStream } from '../protocols/ui-message-stream.ts';
import { isSessionId } from '../sessions/session-id.ts';
import type { Answered, Call } from './call.ts';
import { noContent, replayAnswer } from './replay.ts';
import { requestedAgent, requireAgent } from './requested-agent.ts';
import { sessionOf } from './session-of.ts';
import { withStore } from './session-store.ts';

/**
 * Sends the running answer of a chat from its beginning, for a kit whose page was loaded again. The chat's id must be a
 * session id, unless `?sessionId=` names the session. The response is 204 if no answer runs, if the session id is not
 * valid, or if sessions are not kept.
 *
 * @throws StreamError AgentNotFound
 */
export async function answerChatStream(
  call: Call,
  { agentId, chatId }: { agentId?: string; chatId: string },
): Promise<Answered> {
  const { agents } = call.upstream.config;
  const query = new URLSearchParams(call.request.query);
  const named = agentId ?? query.get('agentId') ?? undefined;
  const agent = named === undefined ? requestedAgent(agents, named) : requireAgent(agents, named);
  const sessionId = query.get('sessionId') ?? chatId;
  if (call.store === undefined || agent === undefined || !isSessionId(sessionId)) return noContent(call);
  call.telemetry.about({ agent: agent.entry.id, session_id: sessionId });
  const { key } = sessionOf(call, agent, sessionId);
  return withStore(call, async (store) => {
    const state = await store.read(key);
    return replayAnswer(call, {
      store,
      requestId: state?.isRunning ? state.requestId : undefined,
      session: key,
      protocol: uiMessageStream,
      replay: {},
      isReadable: (head) => head.session === key,
    });
  });
}
