import { AgentError, streamAgent } from '../../client/stream-agent.ts';
import { type ListedAgent, listAgents, newSessionId } from './agents.ts';
import { mountComposer } from './composer.ts';
import { announce, button, byId, element } from './dom.ts';
import { followIn } from './following.ts';
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

const { follow, resume: followAgain } = followIn(
  byId('scroller'),
  transcript,
  byId<HTMLButtonElement>('to-latest'),
);
const composer = mountComposer({ onSend: (text) => void send(text), onStop: stop });
const showSession = mountSession();
const showWelcome = mountWelcome((text) => void send(text));

/* Sending */

async function send(text: string, payload?: Record<string, unknown>): Promise<void> {
  const conversation = current;
  if (!conversation || running || text.trim() === '') return;
  const abort = new AbortController();
  running = abort;
  const turn = new Turn({
    agentName: conversation.agent.name,
    prompt: text,
    isFirst: !conversation.isAnswered,
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
  try {
    const events = streamAgent(new URL('/', location.href), {
      agentId: conversation.agent.id,
      prompt: text,
      sessionId: conversation.sessionId,
      ...(payload && { payload }),
      signal: abort.signal,
      fetch: turn.wiretap.fetch,
    });
    for await (const event of events) {
      if (event.type === 'start' || event.type === 'done') {
        conversation.sessionId = event.sessionId;
        conversation.isAnswered = true;
        refresh();
      }
      await turn.take(event);
    }
  } catch (error) {
    if (abort.signal.aborted) await turn.stop();
    else if (error instanceof AgentError) {
      conversation.sessionId = error.sessionId ?? conversation.sessionId;
      await turn.fail(error);
    } else throw error;
  } finally {
    running = undefined;
    refresh();
    composer.invite();
  }
}

function stop(): void {
  running?.abort();
}

/* Session and agent */

function newConversation(agent: ListedAgent): Conversation {
  return { agent, sessionId: newSessionId(), isBegun: false, isAnswered: false };
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
  stop();
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
} catch (error) {
  agentSelect.replaceChildren(new Option('No agents'));
  const { message } = error as Error;
  const again = button('Try again', 'action', () => location.reload());
  transcript.append(element('p', 'note', `The agents could not be listed: ${message}.`), again);
}
refresh();
mountMetrics(byId('metrics'), (agentId) => agents.find(({ id }) => id === agentId)?.name ?? agentId);
