import { Agent, tool } from '@strands-agents/sdk';
import { type Piece, serveAgent, type Turn } from './agent.ts';
import { type Decision, ScriptedModel } from './scripted-model.ts';

/** Buckets that the agent can delete, of all sessions. */
const buckets = new Set(['site-content', 'site-logs', 'old-backups']);

const calculator = tool({
  name: 'calculator',
  description: 'Applies one operation to two numbers',
  inputSchema: {
    type: 'object',
    properties: {
      left: { type: 'number' },
      operator: { type: 'string', enum: ['+', '-', '*', '/'] },
      right: { type: 'number' },
    },
    required: ['left', 'operator', 'right'],
  },
  callback: (input) => {
    const { left, operator, right } = input as { left: number; operator: string; right: number };
    if (operator === '/' && right === 0) throw new Error('a number cannot be divided by zero');
    const results: Record<string, number> = {
      '+': left + right,
      '-': left - right,
      '*': left * right,
      '/': left / right,
    };
    return { result: results[operator] ?? null };
  },
});

const clock = tool({
  name: 'clock',
  description: 'Tells the time of a time zone',
  inputSchema: { type: 'object', properties: { timeZone: { type: 'string' } }, required: ['timeZone'] },
  callback: (input) => {
    const { timeZone } = input as { timeZone: string };
    return {
      timeZone,
      time: new Date().toLocaleString('en-GB', { timeZone, timeStyle: 'long', dateStyle: 'long' }),
    };
  },
});

const countWords = tool({
  name: 'count_words',
  description: 'Counts the words and characters of a text',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  callback: (input) => {
    const { text } = input as { text: string };
    return { words: text.match(/\S+/g)?.length ?? 0, characters: [...text].length };
  },
});

const deleteBucket = tool({
  name: 'delete_bucket',
  description: 'Deletes a bucket, once the user has agreed',
  inputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  callback: (input, context) => {
    const { name } = input as { name: string };
    const reply = context?.interrupt({ name: 'approval', reason: `Delete the bucket "${name}" for good?` });
    if (reply !== 'approve') return { name, deleted: false, because: 'the user did not agree' };
    return { name, deleted: buckets.delete(name) };
  },
});

const ARITHMETIC = /(-?\d+(?:\.\d+)?)\s*([-+*/×÷])\s*(-?\d+(?:\.\d+)?)/;
const OPERATORS: Record<string, string> = { '×': '*', '÷': '/' };

function decide(prompt: string, turn: number): Decision {
  const says = turn > 1 ? `This is your request number ${turn} in this session. ` : 'Let me look. ';
  const [, left, operator = '', right] = ARITHMETIC.exec(prompt) ?? [];
  if (operator) {
    const input = { left: Number(left), operator: OPERATORS[operator] ?? operator, right: Number(right) };
    return { thought: 'There is a calculation in it: I calculate.', says, tool: 'calculator', input };
  }
  if (/\bdelete\b/i.test(prompt)) {
    const name = [...buckets].find((bucket) => prompt.includes(bucket)) ?? 'old-backups';
    const thought = 'The user wants a bucket deleted. That cannot be undone: the tool has to ask first.';
    return { thought, says, tool: 'delete_bucket', input: { name } };
  }
  if (/\b(time|clock|date|today)\b/i.test(prompt)) {
    return { thought: 'I have no clock of my own.', says, tool: 'clock', input: { timeZone: 'UTC' } };
  }
  const thought = 'There is nothing to calculate or to delete. I can still measure what was asked.';
  return { thought, says, tool: 'count_words', input: { text: prompt } };
}

/** The sessions' agents: each remembers its conversation, and where it was interrupted. */
const agents = new Map<string, Agent>();

function agentOf(sessionId: string): Agent {
  const known = agents.get(sessionId);
  if (known) return known;
  const script = {
    decide,
    conclude: (result: string, isError: boolean) =>
      isError ? `That did not work: ${result}.` : `The tool says: \`${result}\`. That is all.`,
  };
  const agent = new Agent({
    model: new ScriptedModel(script),
    tools: [calculator, clock, countWords, deleteBucket],
    printer: false,
  });
  agents.set(sessionId, agent);
  return agent;
}

/** What the user replies to an interrupt, as the caller's `payload` carries it. */
function replyIn({ request }: Turn): { interruptId: string; response: string } | undefined {
  const { interruptId, response } = Object(request.interruptResponse) as Record<string, unknown>;
  return typeof interruptId === 'string' && typeof response === 'string'
    ? { interruptId, response }
    : undefined;
}

/** An agent of the Strands SDK whose model is scripted and whose tools really run. Each of its events is a message. */
serveAgent({
  async *answer(turn) {
    const reply = replyIn(turn);
    const stream = agentOf(turn.sessionId).stream(reply ? [{ interruptResponse: reply }] : turn.prompt);
    for await (const event of stream) yield JSON.parse(JSON.stringify(event)) as Piece;
  },
  encode: (piece) => JSON.stringify(piece),
  endsItself: true,
  forget: (sessionId) => agents.delete(sessionId),
});
