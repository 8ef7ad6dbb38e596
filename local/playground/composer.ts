import { byId } from './dom.ts';

/** Where prompts are written. */
export interface Composer {
  /** Shows what can be done: nothing without an agent, stopping while an answer runs. */
  refresh(agentName: string | undefined, isRunning: boolean): void;
  /** Writes a text, which the person may change before they send it. */
  fill(text: string): void;
  /** Brings the focus, unless the person is busy elsewhere. */
  invite(): void;
}

export interface ComposerActions {
  onSend: (prompt: string) => void;
  /** Something is being written. */
  onWrite: () => void;
  onStop: () => void;
}

export function mountComposer({ onSend, onWrite, onStop }: ComposerActions): Composer {
  const form = byId<HTMLFormElement>('composer');
  const prompt = byId<HTMLTextAreaElement>('prompt');
  const sendButton = byId<HTMLButtonElement>('send');
  const stopButton = byId<HTMLButtonElement>('stop');
  const notice = byId('notice');
  let agentName: string | undefined;
  let isRunning = false;

  const isBlank = () => prompt.value.trim() === '';
  const show = () => {
    sendButton.hidden = isRunning;
    sendButton.disabled = agentName === undefined || isBlank();
    stopButton.hidden = !isRunning;
    byId('hint-send').hidden = isRunning || sendButton.disabled;
    byId('hint-stop').hidden = !isRunning;
    if (!isRunning) notice.textContent = '';
    if (agentName !== undefined) prompt.placeholder = `Ask ${agentName}…`;
  };
  const resize = () => {
    prompt.style.height = 'auto';
    prompt.style.height = `${prompt.scrollHeight}px`;
  };
  const fill = (text: string) => {
    prompt.value = text;
    resize();
    show();
    prompt.focus();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = prompt.value;
    if (isBlank() || agentName === undefined) return;
    if (isRunning) {
      notice.textContent = 'Stop the running answer first, or wait until it is complete.';
      return;
    }
    fill('');
    onSend(text);
  });
  prompt.addEventListener('input', () => {
    resize();
    show();
    if (!isBlank()) onWrite();
  });
  prompt.addEventListener('keydown', (event) => {
    // Enter also ends the composing of a character, which sends nothing.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented) return;
    // That is for the figures, which are in front.
    if (document.querySelector(':popover-open')) return;
    onStop();
  });
  stopButton.addEventListener('click', onStop);

  return {
    refresh(name, running) {
      agentName = name;
      isRunning = running;
      show();
    },
    fill,
    invite() {
      // Not where the focus would bring up a keyboard over the answer.
      if (!matchMedia('(hover: hover)').matches) return;
      const { activeElement } = document;
      const isNowhere = activeElement === null || activeElement === document.body;
      // A button that is gone, or will be, has nobody's attention; selected text has.
      if (!isNowhere && activeElement !== stopButton) return;
      if (getSelection()?.isCollapsed !== false) prompt.focus({ preventScroll: true });
    },
  };
}
