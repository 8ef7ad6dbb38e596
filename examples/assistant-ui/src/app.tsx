import {
  AssistantRuntimeProvider,
  ComposerPrimitive,
  ErrorPrimitive,
  MessagePrimitive,
  type ReasoningMessagePartProps,
  type TextMessagePartProps,
  ThreadPrimitive,
  type ToolCallMessagePartProps,
} from '@assistant-ui/react';
import { useOverAgUi, useOverAiSdk } from './runtimes.ts';

/** `npm run dev -- --mode ag-ui` takes the other one. */
const useRuntime = import.meta.env.MODE === 'ag-ui' ? useOverAgUi : useOverAiSdk;

export function App() {
  const runtime = useRuntime();
  return (
    <AssistantRuntimeProvider runtime={runtime}>
      <ThreadPrimitive.Root>
        <ThreadPrimitive.Viewport>
          <ThreadPrimitive.Messages components={{ UserMessage, AssistantMessage }} />
        </ThreadPrimitive.Viewport>
        <ComposerPrimitive.Root>
          <ComposerPrimitive.Input aria-label="Prompt" submitMode="enter" />
          <ComposerPrimitive.Send>Send</ComposerPrimitive.Send>
          <ComposerPrimitive.Cancel>Stop</ComposerPrimitive.Cancel>
        </ComposerPrimitive.Root>
      </ThreadPrimitive.Root>
    </AssistantRuntimeProvider>
  );
}

function UserMessage() {
  return (
    <MessagePrimitive.Root data-role="user">
      <MessagePrimitive.Parts />
    </MessagePrimitive.Root>
  );
}

function AssistantMessage() {
  return (
    <MessagePrimitive.Root data-role="assistant">
      <MessagePrimitive.Parts components={{ Text, Reasoning, tools: { Fallback: Tool } }} />
      <MessagePrimitive.Error>
        <ErrorPrimitive.Root>
          <ErrorPrimitive.Message />
        </ErrorPrimitive.Root>
      </MessagePrimitive.Error>
    </MessagePrimitive.Root>
  );
}

function Text({ text }: TextMessagePartProps) {
  return <p>{text}</p>;
}

function Reasoning({ text }: ReasoningMessagePartProps) {
  return <blockquote>{text}</blockquote>;
}

function Tool({ toolName, argsText, result }: ToolCallMessagePartProps) {
  return (
    <pre>
      {toolName} {argsText} → {JSON.stringify(result)}
    </pre>
  );
}
