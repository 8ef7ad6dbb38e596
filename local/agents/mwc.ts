import { randomUUID } from 'node:crypto';
import { on } from 'node:events';
import WebSocket from 'ws';
import { createDecoder } from '../../lambda/answer/decoder.ts';
import { isEnd } from '../../lambda/events.ts';
import { recall, serveAgent } from './agent.ts';

const { ONBOARDING_TARGET = '', PROVISIONING_TARGET = '' } = process.env;

/** The session with the specialists that belongs to each of ours. It ends with what we remember of ours. */
const specialistSessions = new Map<string, string>();

/** Orchestrates the other two over their WebSockets, in plain text, and ends by closing. */
serveAgent({
  async *answer({ prompt, sessionId, previous }) {
    yield `${recall(previous)}I take "${prompt}" to the specialists.\n\n--- OnboardingAgent ---\n`;
    const known = previous.length > 0 ? specialistSessions.get(sessionId) : undefined;
    const specialistSession = known ?? `mwc-${randomUUID()}`;
    specialistSessions.set(sessionId, specialistSession);
    yield* ask(ONBOARDING_TARGET, prompt, specialistSession);
    yield '\n--- ProvisioningAgent ---\n';
    yield* ask(PROVISIONING_TARGET, prompt, specialistSession);
    yield '\nAll done.\n';
  },
  encode: (piece) => (typeof piece === 'string' ? piece : JSON.stringify(piece)),
});

/** Another agent's text as it comes; its structured events stay behind. */
async function* ask(target: string, prompt: string, sessionId: string): AsyncGenerator<string> {
  if (!target) return;
  const socket = new WebSocket(`${target.replace(/^http/, 'ws')}/ws`, {
    headers: { 'x-amzn-bedrock-agentcore-runtime-session-id': sessionId },
  });
  socket.once('open', () => socket.send(JSON.stringify({ prompt, sessionId })));
  const decoder = createDecoder({
    framing: 'auto',
    dialect: 'auto',
    structured: 'drop',
    maxDocumentLength: 1_000_000,
  });
  try {
    for await (const [data, isBinary] of on(socket, 'message', { close: ['close'] })) {
      for (const event of decoder.decode(data as Buffer, isBinary as boolean)) {
        if (isEnd(event)) return;
        if (event.type === 'text') yield event.text;
      }
    }
  } finally {
    socket.close();
  }
}
