import { useCallback, useEffect, useRef, useState } from 'react';
import { AgentError, type AgentEvent, type StreamAgentOptions, streamAgent } from './stream-agent.ts';

/** The state of an answer. */
export type AgentState = 'idle' | 'running' | 'complete' | 'stopped' | 'failed';

export interface UseAgentOptions {
  /** Sends each request, for example with a signature or through `withContentSha256()`. @default globalThis.fetch */
  fetch?: StreamAgentOptions['fetch'];
  /** Receives every event: the text's and all others, such as reasoning, tool calls and the agent's questions. */
  onEvent?: (event: AgentEvent) => void;
}

/** The current answer of one agent, and the actions of a component on it. */
export interface Agent {
  /** The text of the answer so far, also in the states `failed` and `stopped`. */
  text: string;
  state: AgentState;
  /** Why the answer failed. Offer another try if `error.retryable`. */
  error: AgentError | undefined;
  /**
   * Sends a prompt in the session of the last answer, and aborts a running answer. Settles when the new answer ends.
   */
  send(prompt: string, payload?: Record<string, unknown>): Promise<void>;
  /** Aborts the current answer and keeps its text. */
  stop(): void;
}

/**
 * A conversation with one agent. The hook keeps the session from answer to answer, until the component unmounts or gets
 * another agent or URL.
 *
 * @param url the Function URL, or a path on it that answers invoke requests
 * @param agentId a configured id, name or runtime ARN
 */
export function useAgent(url: string, agentId: string, options: UseAgentOptions = {}): Agent {
  const [text, setText] = useState('');
  const [state, setState] = useState<AgentState>('idle');
  const [error, setError] = useState<AgentError | undefined>(undefined);
  const sessionId = useRef<string | undefined>(undefined);
  const running = useRef<AbortController | undefined>(undefined);
  const latest = useRef(options);

  useEffect(() => {
    latest.current = options;
  }, [options]);

  const begin = useCallback((controller?: AbortController) => {
    running.current?.abort();
    running.current = controller;
    setText('');
    setState(controller ? 'running' : 'idle');
    setError(undefined);
  }, []);

  // A session belongs to one agent, so another agent begins without one. Unmounting aborts the request.
  useEffect(() => {
    begin();
    sessionId.current = undefined;
    return () => running.current?.abort();
  }, [url, agentId, begin]);

  const send = useCallback(
    async (prompt: string, payload?: Record<string, unknown>) => {
      const controller = new AbortController();
      const { signal } = controller;
      begin(controller);
      let end: AgentState = 'complete';
      try {
        const { fetch } = latest.current;
        const request = { agentId, prompt, sessionId: sessionId.current, signal, fetch };
        for await (const event of streamAgent(url, { ...request, ...(payload && { payload }) })) {
          if (event.type === 'chunk') setText((before) => before + event.text);
          else if (event.type === 'start' || event.type === 'done') sessionId.current = event.sessionId;
          latest.current.onEvent?.(event);
        }
      } catch (thrown) {
        end = signal.aborted ? 'stopped' : 'failed';
        if (signal.aborted) return;
        if (!(thrown instanceof AgentError)) throw thrown;
        sessionId.current = thrown.sessionId ?? sessionId.current;
        setError(thrown);
      } finally {
        // If a newer request has replaced this one, the state belongs to the newer one.
        if (running.current === controller) setState(end);
      }
    },
    [url, agentId, begin],
  );

  const stop = useCallback(() => running.current?.abort(), []);

  return { text, state, error, send, stop };
}
