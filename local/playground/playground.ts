import { AgentError, streamAgent } from '../../client/stream-agent.ts';
import { type ListedAgent, listAgents, newSessionId, suggestedPrompts } from './agents.ts';
import { button, byId, copyFrom, element } from './dom.ts';
import { followIn } from './following.ts';
import { mountMetrics } from './metrics.ts';
import { Turn } from './turn.ts';

/** A session with the agent in whose runtime it lives. */
interface Conversation {
  agent: ListedAgent;
  /** The service has the last word: it replaces an id that it does not accept. */
  sessionId: string;
  /** Whether an answer has ever begun in it. */
  isNew: boolean;
}

const agentSelect = byId<HTMLSelectElement>('agent');
const sessionButton = byId<HTMLButtonElement>('session');
const transcript = byId('transcript');
const welcome = byId('welcome');
const prompt = byId<HTMLTextAreaElement>('prompt');
const sendButton = byId<HTMLButtonElement>('send');
const stopButton = byId<HTMLButtonElement>('stop');
const notice = byId('notice');
const announcer = byId('announcer');

let agents: ListedAgent[] = [];
let current: Conversation | undefined;
/** Whose turn is the last that is shown. */
let shown: Conversation | undefined;
let running: AbortController | undefined;

const { follow, resume: followAgain } = followIn(
  byId('scroller'),
  byId<HTMLButtonElement>('to-latest'),
  () => running !== undefined,
);

/* Sending */

async function send(text: string): Promise<void> {
  const conversation = current;
  if (!conversation || running || text.trim() === '') return;
  const abort = new AbortController();
  running = abort;
  const turn = new Turn({
    agentName: conversation.agent.name,
    prompt: text,
    isFirst: conversation.isNew,
    onGrow: follow,
    onState: (words) => {
      announcer.textContent = words;
    },
    onRetry: () => {
      returnTo(conversation);
      void send(text);
    },
    onAskBack: () => {
      returnTo(conversation);
      fill('What did you do with my last request?');
    },
  });
  shown = conversation;
  transcript.append(turn.element);
  refresh();
  followAgain();
  try {
    const events = streamAgent(new URL('/', location.href), {
      agentId: conversation.agent.id,
      prompt: text,
      sessionId: conversation.sessionId,
      signal: abort.signal,
      fetch: turn.wiretap.fetch,
    });
    for await (const event of events) {
      if (event.type !== 'chunk') {
        conversation.sessionId = event.sessionId;
        conversation.isNew = false;
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
    focusPrompt();
  }
}

function stop(): void {
  running?.abort();
}

/* Session and agent */

function startSession(agent: ListedAgent): void {
  stop();
  converse({ agent, sessionId: newSessionId(), isNew: true }, `New session with ${agent.name}`);
  prompt.focus();
}

/** Selects again what an earlier turn belongs to. */
function returnTo(conversation: Conversation): void {
  const { agent, sessionId } = conversation;
  converse(conversation, `Back to ${agent.name}, session ${short(sessionId)}`);
}

function converse(conversation: Conversation, words: string): void {
  current = conversation;
  agentSelect.value = conversation.agent.id;
  transcript.querySelector(':scope > .divider:last-child')?.remove();
  if (shown && shown !== conversation) transcript.append(element('p', 'divider', words));
  refresh();
  follow();
}

function selectedAgent(): ListedAgent | undefined {
  return agents.find(({ id }) => id === agentSelect.value);
}

function short(sessionId: string): string {
  return `${sessionId.slice(0, 8)}…`;
}

/* What is shown */

function refresh(): void {
  const isRunning = running !== undefined;
  agentSelect.disabled = !current || isRunning;
  sendButton.hidden = isRunning;
  sendButton.disabled = !current || prompt.value.trim() === '';
  stopButton.hidden = !isRunning;
  if (!isRunning) notice.textContent = '';
  for (const actions of document.querySelectorAll<HTMLFieldSetElement>('fieldset.actions')) {
    actions.disabled = isRunning;
  }
  welcome.hidden = !current || transcript.childElementCount > 0;
  if (!current) return;
  const { agent, sessionId } = current;
  sessionButton.textContent = short(sessionId);
  sessionButton.dataset.session = sessionId;
  prompt.placeholder = `Ask ${agent.name}…`;
  byId('welcome-name').textContent = agent.name;
  byId('welcome-description').textContent = agent.description || agent.capabilities.join(', ');
  const suggestions = suggestedPrompts(agent).map((text) =>
    element(
      'li',
      '',
      button(text, 'suggestion', () => void send(text)),
    ),
  );
  byId('welcome-prompts').replaceChildren(...suggestions);
}

function fill(text: string): void {
  prompt.value = text;
  resizePrompt();
  refresh();
  prompt.focus();
}

/** Not where the focus would bring up a keyboard over the answer. */
function focusPrompt(): void {
  if (matchMedia('(hover: hover)').matches) prompt.focus({ preventScroll: true });
}

function resizePrompt(): void {
  prompt.style.height = 'auto';
  prompt.style.height = `${prompt.scrollHeight}px`;
}

/* Listening */

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = prompt.value;
  if (text.trim() === '') return;
  if (running) {
    notice.textContent = 'Stop the running answer first, or wait until it is complete.';
    return;
  }
  fill('');
  void send(text);
});

prompt.addEventListener('input', () => {
  resizePrompt();
  refresh();
});

prompt.addEventListener('keydown', (event) => {
  // Enter also ends the composing of a character, which sends nothing.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId<HTMLFormElement>('composer').requestSubmit();
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented) return;
  // That is for the figures, which are in front.
  if (document.querySelector(':popover-open')) return;
  stop();
});

stopButton.addEventListener('click', stop);
byId('new-session').addEventListener('click', () => {
  if (current) startSession(current.agent);
});
sessionButton.addEventListener('click', () => {
  if (current) void copyFrom(sessionButton, current.sessionId, () => short(current?.sessionId ?? ''));
});
agentSelect.addEventListener('change', () => {
  const agent = selectedAgent();
  if (agent) startSession(agent);
});

/* Beginning */

refresh();
focusPrompt();
try {
  agents = await listAgents();
  agentSelect.replaceChildren(...agents.map(({ id, name }) => new Option(name, id)));
  const agent = selectedAgent();
  if (agent) current = { agent, sessionId: newSessionId(), isNew: true };
} catch (error) {
  agentSelect.replaceChildren(new Option('No agents'));
  const { message } = error as Error;
  const again = button('Try again', 'action', () => location.reload());
  transcript.append(element('p', 'note', `The agents could not be listed: ${message}.`), again);
}
refresh();
mountMetrics(byId('metrics'));
