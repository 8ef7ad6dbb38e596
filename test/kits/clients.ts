import * as agUi from '@ag-ui/client';
import * as agUiLatest from '@ag-ui/client-1';
import type { ChatInit, ChatState, ChatStatus, UIMessage } from 'ai';
import * as ai7 from 'ai';
import * as ai5 from 'ai-5.0.200';
import * as ai6 from 'ai-6';
import * as ai6Strict from 'ai-6.0.230';

type Ai = Pick<typeof ai7, 'AbstractChat' | 'DefaultChatTransport'>;

/** Releases of the AI SDK; 5.0.200 and 6.0.230 take no field that they do not know. */
export const AI_RELEASES = {
  '5.0.200': ai5 as unknown as Ai,
  '6.0.230': ai6Strict as unknown as Ai,
  '6': ai6 as unknown as Ai,
  '7': ai7,
} satisfies Record<string, Ai>;

/** Releases of AG-UI's client; 0.0.59 takes no event that it does not know. CopilotKit pins it. */
export const AG_UI_RELEASES = {
  '0.0.59': agUi,
  '1': agUiLatest as unknown as Pick<typeof agUi, 'HttpAgent'>,
} satisfies Record<string, Pick<typeof agUi, 'HttpAgent'>>;

export type Metadata = { sessionId: string; usage?: object };
export type Message = UIMessage<Metadata>;

/** What `useChat` is made of, without React: the SDK's own chat over arrays. */
export interface Chat {
  messages: Message[];
  status: ChatStatus;
  error: Error | undefined;
  sendMessage(message: { text: string }): Promise<void>;
  regenerate(): Promise<void>;
  resumeStream(): Promise<void>;
  stop(): Promise<void>;
  /** Tools that the client was asked to run: none, ever. */
  asked: unknown[];
}

interface ChatOptions {
  release: Ai;
  api: string;
  id?: string;
  body?: object;
  fetch?: typeof fetch;
}

export function createChat({ release, ...options }: ChatOptions): Chat {
  const asked: unknown[] = [];
  const state: ChatState<Message> = {
    messages: [],
    status: 'ready',
    error: undefined,
    pushMessage: (message) => {
      state.messages = [...state.messages, message];
    },
    popMessage: () => {
      state.messages = state.messages.slice(0, -1);
    },
    replaceMessage: (index, message) => {
      state.messages = state.messages.with(index, structuredClone(message));
    },
    snapshot: (value) => structuredClone(value),
  };
  class NodeChat extends release.AbstractChat<Message> {
    asked = asked;
    constructor(init: ChatInit<Message>) {
      super({ ...init, state });
    }
  }
  return new NodeChat({
    ...(options.id && { id: options.id }),
    transport: new release.DefaultChatTransport({
      api: options.api,
      ...(options.body && { body: options.body }),
      ...(options.fetch && { fetch: options.fetch }),
    }),
    onToolCall: ({ toolCall }) => {
      asked.push(toolCall);
    },
  });
}

/** The text of a message, and the kinds of its parts in order. */
export function textOf(message: Message | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
}
