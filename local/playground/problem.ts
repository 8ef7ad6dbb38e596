import type { AgentError } from '../../client/stream-agent.ts';
import { button, element } from './dom.ts';
import { explain } from './explain.ts';

export interface ProblemActions {
  onRetry: () => void;
  onAskBack: () => void;
}

/** A failure in words, and what can be done about it. */
export function problem(error: AgentError, { onRetry, onAskBack }: ProblemActions): HTMLElement {
  const { title, advice, again, said } = explain(error);
  const { agentError, hint, upstreamRequestId } = error.details;
  return element(
    'section',
    'problem',
    element('h3', '', title, ' ', element('code', 'problem-code', error.code)),
    element('p', '', `${advice} ${again}`),
    said !== undefined && element('p', 'said', said),
    agentError && element('blockquote', '', agentError.message),
    hint !== undefined && element('p', 'said', hint),
    element(
      'p',
      'ids',
      error.requestId !== undefined && element('span', '', `request ${error.requestId}`),
      upstreamRequestId !== undefined && element('span', '', `AgentCore request ${upstreamRequestId}`),
    ),
    actions(
      error.retryable && retryButton(error.retryAfterSeconds ?? 0, onRetry),
      error.promptSent && askBackButton(onAskBack),
    ),
  );
}

/** What can be done after an answer that is not complete. The page switches it off while it is busy. */
export function actions(...buttons: (HTMLButtonElement | false)[]): HTMLElement {
  return element('fieldset', 'actions', ...buttons);
}

/** For when an agent may have done something that nobody has heard of. */
export function askBackButton(onAskBack: () => void): HTMLButtonElement {
  return button('Ask what it did', 'action', onAskBack);
}

/** Cannot be pressed before the service wants to hear of it again, and says when that is. */
function retryButton(afterSeconds: number, onRetry: () => void): HTMLButtonElement {
  const retry = button('Try again', 'action', onRetry);
  const readyAt = performance.now() + afterSeconds * 1000;
  const count = () => {
    const seconds = Math.ceil((readyAt - performance.now()) / 1000);
    retry.disabled = seconds > 0;
    retry.textContent = seconds > 0 ? `Try again in ${seconds} s` : 'Try again';
    if (seconds > 0) setTimeout(count, 200);
  };
  count();
  return retry;
}
