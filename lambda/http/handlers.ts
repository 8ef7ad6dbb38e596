import type { Answered, Call } from './call.ts';
import { answerChatStream } from './chat-stream.ts';
import { answerInvoke } from './invoke.ts';
import { agentStatus, health, listAgents, stackStatus } from './resources.ts';
import { resumed } from './resumed.ts';
import type { Route } from './routes.ts';
import { beginSession, endSession } from './session-life.ts';
import { sessionState, stopAnswer, streamSession } from './session-store.ts';

type Named<Name extends Route['name']> = Extract<Route, { name: Name }>;

/**
 * Answers a request of one route.
 *
 * @throws StreamError while nothing has been written; the error becomes the answer
 */
type Handler<Name extends Route['name']> = (call: Call, route: Named<Name>) => Promise<Answered>;

/** The handler of each route. */
const HANDLERS: { [Name in Route['name']]: Handler<Name> } = {
  invoke: (call, route) => resumed(call) ?? answerInvoke(call, route),
  chatStream: answerChatStream,
  list: document(listAgents),
  health: document(health),
  agentStatus: document(agentStatus),
  stackStatus: document(stackStatus),
  beginSession: document(beginSession, 201),
  sessionState: document(sessionState),
  sessionStream: streamSession,
  stopAnswer: document(stopAnswer),
  endSession: document(endSession),
};

/** Answers a request with the handler of its route. @throws StreamError while nothing has been written */
export function answerRoute<Name extends Route['name']>(call: Call, route: Named<Name>): Promise<Answered> {
  const handler = HANDLERS[route.name as Name];
  return handler(call, route);
}

/** Makes a handler that answers with one JSON document. */
function document<Name extends Route['name']>(
  read: (call: Call, route: Named<Name>) => object | Promise<object>,
  statusCode = 200,
): Handler<Name> {
  return async (call, route) => {
    const body = JSON.stringify(await read(call, route));
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
    const answer = call.respond({ statusCode, headers });
    answer.write(body);
    answer.end();
    return {};
  };
}
