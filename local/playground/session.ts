import { byId, copyFrom, element } from './dom.ts';

/** So many characters tell the sessions of a person apart. */
export function short(sessionId: string): string {
  return sessionId.slice(0, 8);
}

/**
 * A button with the session's id, which copies all of it.
 *
 * @returns shows another one
 */
export function mountSession(): (sessionId: string) => void {
  const copy = byId<HTMLButtonElement>('session');
  const label = byId('session-id');
  const notice = byId('notice');
  let shown = '';
  const labelOf = () => `${short(shown)}…`;

  copy.addEventListener('click', async () => {
    if (await copyFrom(label, shown, labelOf)) return;
    // Then a person copies it by hand.
    const id = element('code', '', shown);
    notice.replaceChildren('The session id: ', id);
    getSelection()?.selectAllChildren(id);
  });

  return (sessionId) => {
    shown = sessionId;
    copy.disabled = false;
    copy.dataset.session = sessionId;
    copy.setAttribute('aria-label', `Copy session id ${short(sessionId)}`);
    label.textContent = labelOf();
  };
}
