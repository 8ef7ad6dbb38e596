import { type ListedAgent, suggestedPrompts } from './agents.ts';
import { button, byId, element } from './dom.ts';

/**
 * What a session begins with: the agent's name, what it does, and prompts to choose from. It stands where the
 * first turn will be.
 *
 * @returns shows it for an agent, or hides it
 */
export function mountWelcome(onPrompt: (text: string) => void): (agent: ListedAgent | undefined) => void {
  const welcome = byId('welcome');
  return (agent) => {
    welcome.hidden = !agent;
    if (!agent) return;
    byId('welcome-name').textContent = agent.name;
    byId('welcome-description').textContent = agent.description || agent.capabilities.join(', ');
    const suggestions = suggestedPrompts(agent).map((text) =>
      element(
        'li',
        '',
        button(text, 'suggestion', () => onPrompt(text)),
      ),
    );
    byId('welcome-prompts').replaceChildren(...suggestions);
  };
}
