import { useCallback, useEffect, useRef, useState } from 'react';
import { AgentError, type AgentEvent, type StreamAgentOptions, streamAgent } from './stream-agent.ts';

/** What an answer is doing. */
export type AgentState = 'idle' | 'running' | 'complete' | 'stopped' | 'failed';

export interface UseAgentOptions {
  /** Sends each request: one that signs, or `withContentSha256()`. @default globalThis.fetch */
  fetch?: StreamAgentOptions['fetch'];
  /** Sees every event beside the text as well: reasoning, tool calls, what the agent asks. */
  onEvent?: (event: AgentEvent) => void;
}

/** The present answer of one agent, and what a component does with it. */
export interface Agent {
  /** The answer so far, also in state `failed` or `stopped`. */
  text: string;
  state: AgentState;
  /** Why it failed; offer another try where `error.retryable`. */
  error: AgentError | undefined;
  /** Asks in the session of the last answer; an answer that is under way is given up. Settles when it has ended. */
  send(prompt: string, payload?: Record<string, unknown>): Promise<void>;
  /** Gives the present answer up and keeps its text. */
  stop(): void;
}

/**
 * A conversation with one agent: its session is kept from answer to answer, and ends with the component or where
 * another agent or URL is given.
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

  // A session lives in one agent: another one begins anew. Leaving the page ends the request.
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
        // Not for a request that has been replaced.
        if (running.current === controller) setState(end);
      }
    },
    [url, agentId, begin],
  );

  const stop = useCallback(() => running.current?.abort(), []);

  return { text, state, error, send, stop };
}
