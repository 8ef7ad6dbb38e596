import type { AnswerEvent } from '../events.ts';
import { isObject } from '../framing/document.ts';
import type { Dialect, DialectOptions, DialectReader } from './dialect.ts';
import { createChatReader, isChatChunk } from './openai-chat.ts';
import { createResponsesReader, isResponsesEvent } from './openai-responses.ts';
import { createToolCalls } from './tool-calls.ts';
import { createUnknownReader } from './unknown.ts';

/**
 * OpenAI and compatible services: the chunks of a chat completion, and the events of the Responses API. `[DONE]` and
 * `response.completed` end an answer. The close ends it, too, if each completion has given its finish reason and none
 * waits for a tool.
 *
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
export const openai: Dialect = {
  recognises: ({ value }) => isObject(value) && (isChatChunk(value) || isResponsesEvent(value)),
  createReader,
};

function createReader(options: DialectOptions): DialectReader {
  const calls = createToolCalls();
  const chat = createChatReader(calls);
  const responses = createResponsesReader(calls);
  const readUnknown = createUnknownReader(options);

  /** Reads the result of a tool, in the form in which the agent sends it to the model. */
  const readResult = (value: Record<string, unknown>): AnswerEvent[] | undefined => {
    if (value.role === 'tool' && typeof value.tool_call_id === 'string') {
      return calls.result(value.tool_call_id, value.content ?? null, false);
    }
    if (value.type === 'function_call_output' && typeof value.call_id === 'string') {
      return calls.result(value.call_id, value.output ?? null, false);
    }
    return undefined;
  };

  return {
    read(document) {
      const { value } = document;
      if (!isObject(value)) return readUnknown(document);
      const events = isChatChunk(value)
        ? chat.read(value, document)
        : isResponsesEvent(value)
          ? responses.read(value, document)
          : readResult(value);
      return events ?? readUnknown(document);
    },
    isCompleteOnClose: () => !chat.isOpen && !responses.isOpen && !calls.areOpen,
  };
}
