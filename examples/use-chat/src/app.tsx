import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport, type UIMessage } from 'ai';
import type { FormEvent } from 'react';

const URL = import.meta.env.VITE_URL ?? 'http://127.0.0.1:3000';

// With a Function URL of the auth type AWS_IAM: `fetch: signedFetch` of ../../signed-fetch, see the README.
const transport = new DefaultChatTransport({ api: `${URL}/api/agents/onboarding/chat` });

export function App() {
  const { messages, sendMessage, status, stop, error } = useChat({ transport });
  const isBusy = status === 'submitted' || status === 'streaming';

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get('prompt'));
    form.reset();
    void sendMessage({ text });
  };

  return (
    <main>
      {messages.map((message) => (
        <article key={message.id} data-role={message.role}>
          {message.parts.map((part, index) => (
            <Part key={index} part={part} />
          ))}
        </article>
      ))}
      {error && <p role="alert">{error.message}</p>}
      <form onSubmit={submit}>
        <textarea name="prompt" aria-label="Prompt" required />
        <button type="submit" disabled={isBusy}>
          Send
        </button>
        <button type="button" disabled={!isBusy} onClick={() => void stop()}>
          Stop
        </button>
      </form>
    </main>
  );
}

function Part({ part }: { part: UIMessage['parts'][number] }) {
  switch (part.type) {
    case 'text':
      return <p>{part.text}</p>;
    case 'reasoning':
      return <blockquote>{part.text}</blockquote>;
    case 'dynamic-tool':
      return (
        <pre>
          {part.toolName} {JSON.stringify(part.input)} → {JSON.stringify(part.output ?? part.errorText)}
        </pre>
      );
    default:
      // `step-start`, and what else the agent sends: `data-*`
      return null;
  }
}
