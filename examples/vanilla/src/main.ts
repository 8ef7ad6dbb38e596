import { AgentError, streamAgent } from '../../../client/stream-agent.ts';

const URL = import.meta.env.VITE_URL ?? 'http://127.0.0.1:3000';

const messages = document.querySelector('main') as HTMLElement;
const form = document.querySelector('form') as HTMLFormElement;
const [send, stop] = form.querySelectorAll('button') as NodeListOf<HTMLButtonElement>;
let controller = new AbortController();
let sessionId: string | undefined;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const prompt = String(new FormData(form).get('prompt'));
  form.reset();
  void ask(prompt);
});
stop?.addEventListener('click', () => controller.abort());

async function ask(prompt: string): Promise<void> {
  add('article', messages, 'user').textContent = prompt;
  const answer = add('article', messages, 'assistant');
  setBusy(true);
  controller = new AbortController();
  const { signal } = controller;
  try {
    // With a Function URL of the auth type AWS_IAM: `fetch: signedFetch` of ../../signed-fetch, see the README.
    for await (const event of streamAgent(URL, { agentId: 'onboarding', prompt, sessionId, signal })) {
      if (event.type === 'start') sessionId = event.sessionId;
      else if (event.type === 'chunk') last('p', answer).append(event.text);
      else if (event.type === 'reasoning') last('blockquote', answer).append(event.text);
      else if (event.type === 'toolCall') add('pre', answer).append(event.name, ' ');
      else if (event.type === 'toolInput') last('pre', answer).append(event.delta);
      else if (event.type === 'toolResult') last('pre', answer).append(' → ', JSON.stringify(event.output));
    }
  } catch (error) {
    if (signal.aborted) return;
    const alert = add('p', answer);
    alert.setAttribute('role', 'alert');
    alert.textContent = error instanceof AgentError ? error.message : String(error);
  } finally {
    setBusy(false);
  }
}

function setBusy(isBusy: boolean): void {
  if (send) send.disabled = isBusy;
  if (stop) stop.disabled = !isBusy;
}

function add(tag: string, parent: HTMLElement, role?: string): HTMLElement {
  const element = parent.appendChild(document.createElement(tag));
  if (role) element.dataset.role = role;
  return element;
}

/** The last child, if it is of this kind, else a new one. */
function last(tag: string, parent: HTMLElement): HTMLElement {
  const child = parent.lastElementChild;
  return child instanceof HTMLElement && child.localName === tag ? child : add(tag, parent);
}
