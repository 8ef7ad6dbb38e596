import { tokensOf } from '../../../local/agents/text.ts';

/** A call of a tool, as a model decides on it. */
export interface Call {
  id: string;
  name: 'calculator' | 'delete_bucket';
  input: Record<string, unknown>;
}

/** A piece of what a model emits. */
export type Piece =
  | { type: 'thought'; text: string }
  | { type: 'text'; text: string }
  | { type: 'call'; call: Call }
  | { type: 'usage'; inputTokens: number; outputTokens: number };

const CALCULATION = /(\d+) ([*/]) (\d+)/;
const DELETION = /delete (\S+)/;

/**
 * What the model of every framework's agent emits, so that their answers can be compared: a prompt with a calculation or
 * a deletion makes it call a tool, a tool's result makes it conclude. `fail` fails at once, `fail half way` within the
 * text, `hang` never ends.
 *
 * @param result of the tool that it has called before
 */
export async function* think(prompt: string, result?: string): AsyncGenerator<Piece> {
  if (result !== undefined) {
    yield* words('text', `It says ${result}.`);
    return yield { type: 'usage', inputTokens: 20, outputTokens: 4 };
  }
  if (prompt === 'fail') throw new Error('the model is away');
  const call = callFor(prompt);
  if (call) yield* words('thought', 'I need a tool.');
  yield* words('text', call || prompt !== 'hello there' ? 'Let me see. ' : 'You said: hello there');
  if (prompt === 'fail half way') throw new Error('the model is away');
  if (prompt === 'hang') await new Promise(() => {});
  if (call) yield { type: 'call', call };
  yield { type: 'usage', inputTokens: 10, outputTokens: 5 };
}

function* words(type: 'thought' | 'text', text: string): Generator<Piece> {
  for (const token of tokensOf(text)) yield { type, text: token };
}

function callFor(prompt: string): Call | undefined {
  const [, left, operator, right] = CALCULATION.exec(prompt) ?? [];
  if (operator !== undefined) {
    return {
      id: 'call-1',
      name: 'calculator',
      input: { left: Number(left), operator, right: Number(right) },
    };
  }
  const [, bucket] = DELETION.exec(prompt) ?? [];
  return bucket === undefined ? undefined : { id: 'call-1', name: 'delete_bucket', input: { bucket } };
}

/** The tool that really runs. */
export function calculate({ left, operator, right }: Record<string, unknown>): number {
  const [a, b] = [Number(left), Number(right)];
  if (operator === '*') return a * b;
  if (b === 0) throw new Error('divided by zero');
  return a / b;
}

interface ObjectSchema {
  type: 'object';
  properties: Record<string, { type: 'number' | 'string' }>;
  required: string[];
}

/** JSON Schema of the input of the calculator. */
export const CALCULATION_SCHEMA: ObjectSchema = {
  type: 'object',
  properties: { left: { type: 'number' }, operator: { type: 'string' }, right: { type: 'number' } },
  required: ['left', 'operator', 'right'],
};

/** JSON Schema of the input of the deletion. */
export const DELETION_SCHEMA: ObjectSchema = {
  type: 'object',
  properties: { bucket: { type: 'string' } },
  required: ['bucket'],
};

/** The input of a call in pieces, as models emit it. */
export function inputPieces({ input }: Call): string[] {
  return JSON.stringify(input).match(/.{1,8}/gs) ?? [];
}
