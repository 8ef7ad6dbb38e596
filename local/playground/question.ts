import type { InterruptEvent } from '../../client/stream-agent.ts';
import { button, element } from './dom.ts';
import { actions } from './problem.ts';

/** Sends a reply: a prompt that says it in words, and the keys in which the agent looks for it. */
export type OnReply = (prompt: string, payload: Record<string, unknown>) => void;

const REPLIES = [
  { label: 'Approve', response: 'approve' },
  { label: 'Decline', response: 'deny' },
] as const;

/** What an agent asks before it goes on, with buttons that answer it. */
export function question({ id, reason, payload }: InterruptEvent, onReply: OnReply): HTMLElement {
  const buttons = REPLIES.map(({ label, response }, index) =>
    button(label, index === 0 ? 'action primary' : 'action', () => {
      replies.disabled = true;
      replies.dataset.replied = response;
      onReply(label, payloadOf(id, response));
    }),
  );
  const replies = actions(...buttons) as HTMLFieldSetElement;
  const details = payload === undefined ? undefined : JSON.stringify(payload, undefined, 2);
  return element(
    'section',
    'question',
    element('h3', '', 'The agent asks'),
    element('p', '', reason ?? 'May it go on?'),
    details !== undefined &&
      element('details', '', element('summary', '', 'Details'), element('pre', '', details)),
    replies,
  );
}

/** Strands looks for `interruptResponse`, AG-UI for `resume`; each passes over what it does not know. */
function payloadOf(interruptId: string, response: string): Record<string, unknown> {
  return {
    interruptResponse: { interruptId, response },
    resume: [{ interruptId, status: response === 'approve' ? 'resolved' : 'cancelled', payload: response }],
  };
}
