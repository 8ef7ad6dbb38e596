/** What the page reads of an entry of `GET /api/agents/list`. */
export interface ListedAgent {
  id: string;
  name: string;
  description: string;
  capabilities: string[];
}

/** Prompts to begin with, for the agents that come with the local system. */
const PROMPTS: Record<string, string[]> = {
  onboarding: [
    'A static website with its own domain',
    'An API that stores orders in a table',
    'A nightly job that copies files between buckets',
  ],
  provisioning: ['orders-api in us-east-1', 'static-site in eu-west-1'],
  mwc: ['A static website with its own domain', 'An API that stores orders in a table'],
};

/** The agents of the service that serves this page. */
export async function listAgents(): Promise<ListedAgent[]> {
  const response = await fetch('/api/agents/list');
  if (!response.ok) throw new Error(`the list of agents answered with status ${response.status}`);
  const { agents } = (await response.json()) as { agents: ListedAgent[] };
  return agents;
}

export function suggestedPrompts({ id }: ListedAgent): string[] {
  return PROMPTS[id] ?? [];
}

/** A session id that the service accepts, so that a turn stopped early still belongs to a known session. */
export function newSessionId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
