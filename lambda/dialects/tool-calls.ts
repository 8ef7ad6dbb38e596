import type { AnswerEvent } from '../events.ts';

/**
 * The tool calls of one exchange. Frameworks report a call several times, in pieces and then as a whole. Here the
 * events of a call come once and in order: `toolCall`, `toolInput`, `toolCallEnd`, `toolResult`.
 */
export interface ToolCalls {
  start(id: string, name: string): AnswerEvent[];
  /** Adds a piece to the input of a call that has started. */
  input(id: string | undefined, delta: unknown): AnswerEvent[];
  end(id: string | undefined): AnswerEvent[];
  /** Adds a call that is reported as a whole. The events are those that were not made before. */
  whole(id: string, name: string, input: unknown): AnswerEvent[];
  result(id: string, output: unknown, isError: boolean): AnswerEvent[];
  /** Ends every open call, when the next document shows that their inputs are complete. */
  endAll(): AnswerEvent[];
  /** Whether the input of a call is not complete yet. */
  readonly areOpen: boolean;
}

export function createToolCalls(): ToolCalls {
  const states = new Map<string, 'started' | 'fed' | 'ended' | 'answered'>();
  let open = 0;

  const isOpen = (id: string): boolean => states.get(id) === 'started' || states.get(id) === 'fed';
  const end = (id: string | undefined): AnswerEvent[] => {
    if (id === undefined || !isOpen(id)) return [];
    open -= 1;
    states.set(id, 'ended');
    return [{ type: 'toolCallEnd', id }];
  };
  const start = (id: string, name: string): AnswerEvent[] => {
    if (isOpen(id) || states.get(id) === 'ended') return [];
    open += 1;
    states.set(id, 'started');
    return [{ type: 'toolCall', id, name }];
  };
  const input = (id: string | undefined, delta: unknown): AnswerEvent[] => {
    if (id === undefined || !isOpen(id) || typeof delta !== 'string' || delta === '') return [];
    states.set(id, 'fed');
    return [{ type: 'toolInput', id, delta }];
  };
  return {
    start,
    input,
    end,
    whole(id, name, value) {
      const state = states.get(id);
      if (state === 'ended' || state === 'answered') return [];
      const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
      return [...start(id, name), ...(state === 'fed' ? [] : input(id, text)), ...end(id)];
    },
    result(id, output, isError) {
      if (states.get(id) === 'answered') return [];
      const events: AnswerEvent[] = [...end(id), { type: 'toolResult', id, output, isError }];
      states.set(id, 'answered');
      return events;
    },
    endAll: () => (open === 0 ? [] : [...states.keys()].flatMap(end)),
    get areOpen() {
      return open > 0;
    },
  };
}
