import { resumeAnswer } from '../../client/resume.ts';
import { AgentError, type AgentEvent } from '../../client/stream-agent.ts';
import { type ListedAgent, listAgents, newSessionId } from './agents.ts';
import { mountComposer } from './composer.ts';
import { announce, button, byId, element } from './dom.ts';
import { followIn } from './following.ts';
import {
  forget,
  keepsSessions,
  recall,
  remember,
  stopThere,
  streamFrom,
  type WarmUp,
  warmUp,
} from './kept-session.ts';
import { mountMetrics } from './metrics.ts';
import { mountSession, short } from './session.ts';
import { Turn } from './turn.ts';
import { mountWelcome } from './welcome.ts';

/** A session with the agent in whose runtime it lives. */
interface Conversation {
  agent: ListedAgent;
  /** The service has the last word: it replaces an id that it does not accept. */
  sessionId: string;
  /** Whether a prompt was ever sent in it. */
  isBegun: boolean;
  /** Whether an answer has ever begun in it. */
  isAnswered: boolean;
  /** Of its last answer. */
  requestId: string | null;
}

const agentSelect = byId<HTMLSelectElement>('agent');
const transcript = byId('transcript');

let agents: ListedAgent[] = [];
/** What the next prompt belongs to. */
let current: Conversation | undefined;
/** The one to come back to from looking through the agents. */
let kept: Conversation | undefined;
/** Whose turn is the last that is shown. */
let shown: Conversation | undefined;
let running: AbortController | undefined;
/** The session that was started when somebody began to write. */
let warmed: WarmUp | undefined;

const { follow, resume: followAgain } = followIn(
  byId('scroller'),
  transcript,
  byId<HTMLButtonElement>('to-latest'),
);
const composer = mountComposer({
  onSend: (text) => void send(text),
  onWrite: startEarly,
  onStop: () => void stop(),
});
const showSession = mountSession();
const showWelcome = mountWelcome((text) => void send(text));

/* Sending */

async function send(text: string, payload?: Record<string, unknown>): Promise<void> {
  const conversation = current;
  if (!conversation || running || text.trim() === '') return;
  const { agent, sessionId } = conversation;
  const { fetch, ...answer } = show(conversation, text, payload);
  remember({ agentId: agent.id, sessionId, prompt: text });
  const options = { agentId: agent.id, prompt: text, sessionId, ...(payload && { payload }), fetch };
  await answer.read((signal) => streamFrom({ ...options, signal }, conversation.requestId));
}

/** Adds a turn to the transcript, and reads its answer into it. */
function show(conversation: Conversation, text: string, payload?: Record<string, unknown>) {
  const abort = new AbortController();
  running = abort;
  const isWarm = !conversation.isBegun && warmed?.sessionId === conversation.sessionId;
  const turn = new Turn({
    agentName: conversation.agent.name,
    prompt: text,
    isFirst: !conversation.isAnswered,
    startMs: isWarm ? warmed?.startMs : undefined,
    onGrow: follow,
    onState: announce,
    onRetry: () => {
      keep(conversation);
      void send(text, payload);
    },
    onReply: (reply, keys) => {
      keep(conversation);
      void send(reply, keys);
    },
    onAskBack: () => {
      keep(conversation);
      composer.fill('What did you do with my last request?');
    },
  });
  conversation.isBegun = true;
  kept = conversation;
  shown = conversation;
  transcript.append(turn.element);
  refresh();
  followAgain();
  return {
    fetch: turn.wiretap.fetch,
    /** @returns whether there was an answer */
    async read(open: (signal: AbortSignal) => AsyncIterable<AgentEvent>): Promise<boolean> {
      let isThere = false;
      try {
        for await (const event of open(abort.signal)) {
          isThere = true;
          if (event.type === 'start' || event.type === 'done') {
            conversation.sessionId = event.sessionId;
            conversation.isAnswered = true;
            refresh();
          }
          if (event.type === 'start') conversation.requestId = event.requestId;
          await turn.take(event);
        }
      } catch (error) {
        isThere = true;
        if (abort.signal.aborted) await turn.stop();
        else if (error instanceof AgentError) {
          conversation.sessionId = error.sessionId ?? conversation.sessionId;
          await turn.fail(error);
        } else throw error;
      } finally {
        running = undefined;
        if (!isThere) turn.element.remove();
        refresh();
        composer.invite();
      }
      return isThere;
    },
  };
}

/** Ends the answer where it is written, which keeps its text; where that cannot be done, it is only read no further. */
async function stop(): Promise<void> {
  const abort = running;
  if (!abort || !shown) return;
  if (!(await stopThere(shown.agent.id, shown.sessionId))) abort.abort();
}

/** Somebody begins to write: the session of the first prompt starts meanwhile. */
function startEarly(): void {
  if (!keepsSessions || !current || current.isBegun || running) return;
  if (warmed?.sessionId === current.sessionId) return;
  warmed = warmUp(current.agent.id);
  current.sessionId = warmed.sessionId;
  refresh();
}

/** After a reload: the last answer of the session, and the rest of it as it comes. */
async function resume(): Promise<void> {
  const session = recall();
  const agent = agents.find(({ id }) => id === session?.agentId);
  if (!session || !agent) return;
  const { sessionId, prompt } = session;
  keep({ ...newConversation(agent), sessionId, isBegun: true });
  const conversation = current as Conversation;
  const { fetch, read } = show(conversation, prompt);
  const isThere = await read((signal) =>
    resumeAnswer(new URL('/', location.href), { agentId: agent.id, sessionId, signal, fetch }),
  );
  if (isThere) return;
  forget();
  keep(newConversation(agent));
}

/* Session and agent */

function newConversation(agent: ListedAgent): Conversation {
  return { agent, sessionId: newSessionId(), isBegun: false, isAnswered: false, requestId: null };
}

/** Selects a conversation, and comes back to it from looking through the agents. */
function keep(conversation: Conversation): void {
  kept = conversation;
  converse(conversation);
}

/** The next prompt belongs to a conversation, which begins with it if it is new. */
function converse(conversation: Conversation): void {
  const { agent, sessionId, isBegun } = conversation;
  current = conversation;
  agentSelect.value = agent.id;
  transcript.querySelector(':scope > .divider:last-child')?.remove();
  const words = isBegun
    ? `Back to ${agent.name}, session ${short(sessionId)}…`
    : `New session with ${agent.name}`;
  if (shown && shown !== conversation) transcript.append(element('p', 'divider', words));
  refresh();
  follow();
}

function selectedAgent(): ListedAgent | undefined {
  return agents.find(({ id }) => id === agentSelect.value);
}

/* What is shown */

function refresh(): void {
  const isRunning = running !== undefined;
  agentSelect.disabled = !current || isRunning;
  for (const actions of document.querySelectorAll<HTMLFieldSetElement>('fieldset.actions')) {
    actions.disabled = isRunning || actions.dataset.replied !== undefined;
  }
  composer.refresh(current?.agent.name, isRunning);
  showWelcome(current?.isBegun ? undefined : current?.agent);
  if (current) showSession(current.sessionId);
}

/* Listening */

byId('new-session').addEventListener('click', () => {
  if (!current) return;
  running?.abort();
  forget();
  keep(newConversation(current.agent));
  byId('prompt').focus();
});

// The arrow keys change it too, one agent after the other: the focus stays, and nothing is lost.
agentSelect.addEventListener('change', () => {
  const agent = selectedAgent();
  if (agent) converse(agent.id === kept?.agent.id ? kept : newConversation(agent));
});

/* Beginning */

refresh();
composer.invite();
try {
  agents = await listAgents();
  agentSelect.replaceChildren(...agents.map(({ id, name }) => new Option(name, id)));
  const agent = selectedAgent();
  current = agent && newConversation(agent);
  kept = current;
  void resume();
} catch (error) {
  agentSelect.replaceChildren(new Option('No agents'));
  const { message } = error as Error;
  const again = button('Try again', 'action', () => location.reload());
  transcript.append(element('p', 'note', `The agents could not be listed: ${message}.`), again);
}
refresh();
mountMetrics(byId('metrics'), (agentId) => agents.find(({ id }) => id === agentId)?.name ?? agentId);
