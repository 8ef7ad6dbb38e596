import { type Message, Model, type ModelStreamEvent } from '@strands-agents/sdk';
import { tokensOf } from './text.ts';

/** One call of a tool, as a model decides on it. */
export interface Decision {
  /** What the model thinks. */
  thought: string;
  /** What it says before it calls. */
  says: string;
  tool: string;
  input: object;
}

export interface Script {
  decide(prompt: string, turn: number): Decision;
  /** What the model says of a tool's result. */
  conclude(result: string, isError: boolean): string;
}

/** A model that follows a script: a prompt makes it call a tool, a tool's result makes it answer. */
export class ScriptedModel extends Model {
  readonly #script: Script;
  #calls = 0;

  constructor(script: Script) {
    super();
    this.#script = script;
  }

  updateConfig(): void {}

  getConfig() {
    return { modelId: 'scripted' };
  }

  async *stream(messages: Message[]): AsyncGenerator<ModelStreamEvent> {
    yield { type: 'modelMessageStartEvent', role: 'assistant' };
    const blocks = messages.at(-1)?.content ?? [];
    const result = blocks.find((block) => block.type === 'toolResultBlock');
    let said: string;
    if (result) {
      said = this.#script.conclude(
        JSON.stringify(result.content.map(contentOf)[0]),
        result.status === 'error',
      );
      yield* block(tokensOf(said).map((text) => ({ type: 'textDelta', text })));
      yield { type: 'modelMessageStopEvent', stopReason: 'endTurn' };
    } else {
      const asked = messages.filter(
        ({ role, content }) => role === 'user' && content[0]?.type === 'textBlock',
      );
      const prompt = blocks.flatMap((one) => (one.type === 'textBlock' ? [one.text] : [])).join('');
      const { thought, says, tool, input } = this.#script.decide(prompt, asked.length);
      said = says;
      this.#calls += 1;
      yield* block(tokensOf(thought).map((text) => ({ type: 'reasoningContentDelta', text })));
      yield* block(tokensOf(says).map((text) => ({ type: 'textDelta', text })));
      const pieces = JSON.stringify(input).match(/.{1,6}/gs) ?? [];
      yield* block(
        pieces.map((piece) => ({ type: 'toolUseInputDelta', input: piece })),
        { type: 'toolUseStart', name: tool, toolUseId: `call-${this.#calls}` },
      );
      yield { type: 'modelMessageStopEvent', stopReason: 'toolUse' };
    }
    const inputTokens = tokensOf(JSON.stringify(messages)).length;
    const outputTokens = tokensOf(said).length;
    yield {
      type: 'modelMetadataEvent',
      usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    };
  }
}

type Delta = Extract<ModelStreamEvent, { type: 'modelContentBlockDeltaEvent' }>['delta'];
type Start = Extract<ModelStreamEvent, { type: 'modelContentBlockStartEvent' }>['start'];

function* block(deltas: Delta[], start?: Start): Generator<ModelStreamEvent> {
  yield { type: 'modelContentBlockStartEvent', ...(start && { start }) };
  for (const delta of deltas) yield { type: 'modelContentBlockDeltaEvent', delta };
  yield { type: 'modelContentBlockStopEvent' };
}

/** The value of a block of a tool's result. */
function contentOf(content: object): unknown {
  if ('json' in content) return content.json;
  return 'text' in content ? content.text : undefined;
}
