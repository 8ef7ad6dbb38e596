import { AgentError, streamAgent } from '../../client/stream-agent.ts';
import { type ListedAgent, listAgents, newSessionId, suggestedPrompts } from './agents.ts';
import { button, byId, copyFrom, element } from './dom.ts';
import { mountMetrics } from './metrics.ts';
import { Turn } from './turn.ts';

const agentSelect = byId<HTMLSelectElement>('agent');
const sessionButton = byId<HTMLButtonElement>('session');
const scroller = byId('scroller');
const transcript = byId('transcript');
const welcome = byId('welcome');
const toLatest = byId<HTMLButtonElement>('to-latest');
const prompt = byId<HTMLTextAreaElement>('prompt');
const sendButton = byId<HTMLButtonElement>('send');
const stopButton = byId<HTMLButtonElement>('stop');
const announcer = byId('announcer');

let agents: ListedAgent[] = [];
let sessionId = newSessionId();
let running: AbortController | undefined;

/* Sending */

async function send(text: string): Promise<void> {
  const agent = selectedAgent();
  if (!agent || running || text.trim() === '') return;
  const abort = new AbortController();
  running = abort;
  isFollowing = true;
  const turn = new Turn({
    agentName: agent.name,
    prompt: text,
    onGrow: follow,
    onState: (words) => {
      announcer.textContent = words;
    },
    onRetry: () => void send(text),
    onAskBack: () => {
      fill('What did you do with my last request?');
    },
  });
  transcript.append(turn.element);
  refresh();
  follow();
  try {
    const events = streamAgent(new URL('/', location.href), {
      agentId: agent.id,
      prompt: text,
      sessionId,
      signal: abort.signal,
      fetch: turn.wiretap.fetch,
    });
    for await (const event of events) {
      if (event.type !== 'chunk') continueSession(event.sessionId);
      await turn.take(event);
    }
  } catch (error) {
    if (abort.signal.aborted) await turn.stop();
    else if (error instanceof AgentError) {
      continueSession(error.sessionId);
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

/** The service has the last word: it replaces an id that it does not accept. */
function continueSession(id: string | undefined): void {
  if (id) sessionId = id;
  refresh();
}

function startSession(): void {
  stop();
  sessionId = newSessionId();
  if (transcript.lastElementChild?.matches('.turn')) {
    transcript.append(element('p', 'divider', 'New session'));
  }
  refresh();
  follow();
  prompt.focus();
}

function selectedAgent(): ListedAgent | undefined {
  return agents.find(({ id }) => id === agentSelect.value);
}

/* What is shown */

function refresh(): void {
  sessionButton.textContent = `${sessionId.slice(0, 8)}…`;
  sessionButton.dataset.session = sessionId;
  agentSelect.disabled = agents.length === 0 || running !== undefined;
  sendButton.hidden = running !== undefined;
  sendButton.disabled = agents.length === 0 || prompt.value.trim() === '';
  stopButton.hidden = running === undefined;
  const agent = selectedAgent();
  welcome.hidden = !agent || transcript.childElementCount > 0;
  if (!agent) return;
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

/** Whether the newest text is kept in view; a person who scrolls up is left alone. */
let isFollowing = true;

function follow(): void {
  if (isFollowing) scroller.scrollTop = scroller.scrollHeight;
  toLatest.hidden = isFollowing || !running;
}

/* Listening */

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = prompt.value;
  if (running || text.trim() === '') return;
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
  if (event.key === 'Escape' && !event.isComposing) stop();
});

scroller.addEventListener('scroll', () => {
  isFollowing = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 48;
  toLatest.hidden = isFollowing || !running;
});

toLatest.addEventListener('click', () => {
  isFollowing = true;
  follow();
});

stopButton.addEventListener('click', stop);
byId('new-session').addEventListener('click', startSession);
sessionButton.addEventListener('click', () => void copyFrom(sessionButton, sessionId));
agentSelect.addEventListener('change', () => {
  // A session lives in one agent's runtime.
  startSession();
});

/* Beginning */

refresh();
focusPrompt();
try {
  agents = await listAgents();
  agentSelect.replaceChildren(...agents.map(({ id, name }) => new Option(name, id)));
} catch (error) {
  agentSelect.replaceChildren(new Option('No agents'));
  const { message } = error as Error;
  transcript.append(element('p', 'note', `The agents could not be listed: ${message}. Reload to try again.`));
}
refresh();
mountMetrics(byId('metrics'));
