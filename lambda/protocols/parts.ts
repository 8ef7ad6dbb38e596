import type { ContentEvent, DataEvent } from '../events.ts';

/**
 * A piece of an answer. The pieces are in an order that every kit accepts: each is opened once and then closed once.
 */
export type Part =
  | { type: 'start'; kind: TextKind; id: string }
  | { type: 'delta'; kind: TextKind; id: string; text: string }
  | { type: 'end'; kind: TextKind; id: string }
  | { type: 'callStart'; id: string; name: string }
  | { type: 'callInput'; id: string; delta: string }
  /** `input` is the whole input, exactly as the agent sent it. */
  | { type: 'callEnd'; id: string; name: string; input: string }
  | { type: 'callResult'; id: string; output: unknown; isError: boolean }
  | Extract<ContentEvent, { type: 'interrupt' }>
  | DataEvent;

export type TextKind = 'text' | 'reasoning';

/** Puts the events of one answer in order. */
export interface Parts {
  of(event: ContentEvent): Part[];
  /** Ends an open text or reasoning. */
  closeText(): Part[];
  /** Ends all open pieces. A call without a result gets an empty one, unless it `awaits` a result from the caller. */
  close(awaits: (call: { id: string; name: string }) => boolean): Part[];
}

export interface PartsOptions {
  /** Makes a new id for each piece of text or reasoning. */
  nextId: () => string;
  /** Whether an earlier answer of the conversation has a call of this id. @default - no earlier answer has calls */
  isTaken?: (callId: string) => boolean;
}

interface Call {
  id: string;
  name: string;
  input: string;
  state: 'open' | 'called' | 'answered';
}

/**
 * Creates the parts of one answer. An agent may report a call late, twice or never, and use an id again. A client would
 * break at such an event, so the parts are put in order.
 */
export function createParts({ nextId, isTaken = () => false }: PartsOptions): Parts {
  let text: { kind: TextKind; id: string } | undefined;
  /** The calls by the agent's ids. */
  const calls = new Map<string, Call>();
  /** The ids of the calls as they were sent. */
  const ids = new Set<string>();

  const closeText = (): Part[] => {
    const open = text;
    text = undefined;
    return open ? [{ type: 'end', ...open }] : [];
  };
  const addText = (kind: TextKind, added: string): Part[] => {
    if (added === '') return [];
    if (text?.kind === kind) return [{ type: 'delta', ...text, text: added }];
    const before = closeText();
    text = { kind, id: nextId() };
    return [...before, { type: 'start', ...text }, { type: 'delta', ...text, text: added }];
  };
  const startCall = (agentId: string, name: string): Part[] => {
    if (calls.get(agentId)?.state === 'open') return [];
    let id = agentId === '' ? 'call' : agentId;
    for (let n = 2; ids.has(id) || isTaken(id); n += 1) id = `${agentId || 'call'}-${n}`;
    ids.add(id);
    calls.set(agentId, { id, name, input: '', state: 'open' });
    return [...closeText(), { type: 'callStart', id, name }];
  };
  const endCall = (call: Call): Part[] => {
    if (call.state !== 'open') return [];
    call.state = 'called';
    const { id, name, input } = call;
    call.input = '';
    return [{ type: 'callEnd', id, name, input }];
  };
  const answerCall = (agentId: string, output: unknown, isError: boolean): Part[] => {
    const before = calls.has(agentId) ? [] : startCall(agentId, UNKNOWN_TOOL);
    const call = calls.get(agentId) as Call;
    const parts: Part[] = [...before, ...closeText(), ...endCall(call)];
    call.state = 'answered';
    return [...parts, { type: 'callResult', id: call.id, output, isError }];
  };

  return {
    closeText,
    of(event) {
      switch (event.type) {
        case 'text':
        case 'reasoning':
          return addText(event.type, event.text);
        case 'toolCall':
          return startCall(event.id, event.name);
        case 'toolInput': {
          const call = calls.get(event.id);
          if (call?.state !== 'open' || event.delta === '') return [];
          call.input += event.delta;
          return [{ type: 'callInput', id: call.id, delta: event.delta }];
        }
        case 'toolCallEnd': {
          const call = calls.get(event.id);
          return call ? endCall(call) : [];
        }
        case 'toolResult':
          return answerCall(event.id, event.output, event.isError);
        case 'usage':
          return [];
        default:
          return [event];
      }
    },
    close(awaits) {
      const parts = closeText();
      for (const call of calls.values()) {
        if (call.state === 'answered') continue;
        parts.push(...endCall(call));
        if (!awaits(call)) parts.push({ type: 'callResult', id: call.id, output: '', isError: false });
      }
      return parts;
    },
  };
}

/** The tool's name for a call that the agent reported only with its result. */
const UNKNOWN_TOOL = 'tool';
