import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessageChunk, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import { tool } from '@langchain/core/tools';
import { Command, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt';
import { CALCULATION_SCHEMA, calculate, DELETION_SCHEMA, inputPieces, type Piece, think } from './script.ts';
import { type AgentRequest, serve } from './serve.ts';

/** Follows the script. Its tokens reach the graph's stream as those of any chat model. */
class ScriptedChatModel extends BaseChatModel {
  _llmType(): string {
    return 'scripted';
  }

  async _generate(): Promise<ChatResult> {
    throw new Error('the graph streams');
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    _options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const last = messages.at(-1);
    const result = last instanceof ToolMessage ? last.text : undefined;
    const prompt = messages.findLast((message) => message instanceof HumanMessage)?.text ?? '';
    for await (const piece of think(prompt, result)) {
      for (const message of chunksOf(piece)) {
        const { text } = message;
        const chunk = new ChatGenerationChunk({ message, text });
        yield chunk;
        await run?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk });
      }
    }
  }
}

/** Text as a string and thoughts as a block, as several models mix them in one stream. */
function chunksOf(piece: Piece): AIMessageChunk[] {
  switch (piece.type) {
    case 'text':
      return [new AIMessageChunk(piece.text)];
    case 'thought':
      return [new AIMessageChunk({ content: [{ type: 'thinking', thinking: piece.text, index: 0 }] })];
    case 'usage': {
      const { inputTokens: input_tokens, outputTokens: output_tokens } = piece;
      const usage_metadata = { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens };
      return [new AIMessageChunk({ content: '', usage_metadata })];
    }
    case 'call': {
      const { id, name } = piece.call;
      const pieces = [{ id, name, args: '' }, ...inputPieces(piece.call).map((args) => ({ args }))];
      return pieces.map(
        (chunk) => new AIMessageChunk({ content: '', tool_call_chunks: [{ index: 0, ...chunk }] }),
      );
    }
  }
}

const tools = [
  tool((input) => String(calculate(input as Record<string, unknown>)), {
    name: 'calculator',
    description: 'Calculates',
    schema: CALCULATION_SCHEMA,
  }),
  tool(
    (input) => {
      const { bucket } = input as { bucket: string };
      return interrupt({ question: `Delete ${bucket}?` }) === 'yes' ? `${bucket} is deleted` : 'kept';
    },
    { name: 'delete_bucket', description: 'Deletes, once the user has agreed', schema: DELETION_SCHEMA },
  ),
];

const model = new ScriptedChatModel({});
const graph = new StateGraph(MessagesAnnotation)
  .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addNode('tools', new ToolNode(tools))
  .addEdge(START, 'model')
  .addConditionalEdges('model', toolsCondition)
  .addEdge('tools', 'model')
  .compile({ checkpointer: new MemorySaver() });

/** The items of `stream`: as tuples `[chunk, metadata]`, the chunks of them alone, or those of two modes by their names. */
async function* answer({ prompt, sessionId, mode, reply }: AgentRequest): AsyncGenerator<string> {
  const input =
    reply === undefined
      ? { messages: [new HumanMessage(prompt)] }
      : new Command<unknown, Record<string, unknown>, never>({ resume: reply });
  const config = { configurable: { thread_id: sessionId } };
  if (mode === 'modes') {
    const stream = await graph.stream(input, { ...config, streamMode: ['messages', 'updates'] });
    for await (const item of stream) yield JSON.stringify(item);
    return;
  }
  const stream = await graph.stream(input, { ...config, streamMode: 'messages' });
  for await (const item of stream) yield JSON.stringify(mode === 'chunks' ? item[0] : item);
}

// A graph that is not resumed ends nowhere by itself.
serve(answer, (mode) => (mode === 'tuples' ? 'close' : '[DONE]'));
