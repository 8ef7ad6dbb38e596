import type { TokenizerAndRendererExtension, Tokens } from 'marked';

/**
 * A structured event of an agent, such as `{"type":"progress","step":1}`, passes the service as the JSON that it is.
 * In the middle of Markdown it would look like a defect: it is shown as a mark that says what it is, and that
 * shows all of it when it is pressed.
 */

/** Around an event in the text: characters that no text has, of Unicode's private use area. */
const OPEN = '\uE000';
const CLOSE = '\uE001';
const MARKED = /^\uE000(\{[^\uE000\uE001]*\})\uE001/;
/** Values that are longer say no more at a glance. */
const MAX_VALUE = 40;

interface EventToken extends Tokens.Generic {
  type: 'event';
  json: string;
}

/** A chunk as Markdown: marked as an event if it is one, else as it is. */
export function markEvent(chunk: string): string {
  if (!/^\s*\{[\s\S]*\}\s*$/.test(chunk)) return chunk;
  const event = parseEvent(chunk);
  // A line break between the members of an object means nothing, and would end the paragraph.
  return event ? OPEN + chunk.trim().replace(/\s*\n\s*/g, ' ') + CLOSE : chunk;
}

/** Takes the marks out of text where an event is shown as it is, as in a block of code. */
export function withoutMarks(text: string): string {
  return text.replace(/[\uE000\uE001]/g, '');
}

/** Renders what {@link markEvent} has marked. */
export function eventExtension(escapeHtml: (text: string) => string): TokenizerAndRendererExtension {
  return {
    name: 'event',
    level: 'inline',
    start: (source) => {
      const at = source.indexOf(OPEN);
      return at < 0 ? undefined : at;
    },
    tokenizer(source): EventToken | undefined {
      const [raw, json] = MARKED.exec(source) ?? [];
      return raw !== undefined && json !== undefined ? { type: 'event', raw, json } : undefined;
    },
    renderer(token) {
      const { json } = token as EventToken;
      const event = parseEvent(json);
      if (!event) return escapeHtml(json);
      const { name, facts } = summarize(event);
      const summary = `<span><b>${escapeHtml(name)}</b> ${escapeHtml(facts)}</span>`;
      return `<button type="button" class="event" aria-expanded="false">${summary}<code>${escapeHtml(json)}</code></button>`;
    },
  };
}

/** Lets every mark in a container show its event, and hide it again. */
export function openEventsIn(container: HTMLElement): void {
  container.addEventListener('click', ({ target }) => {
    const mark = target instanceof Element ? target.closest('.event') : null;
    mark?.setAttribute('aria-expanded', String(mark.getAttribute('aria-expanded') !== 'true'));
  });
}

type StructuredEvent = Record<string, unknown>;

function parseEvent(json: string): StructuredEvent | undefined {
  try {
    const event = JSON.parse(json) as StructuredEvent;
    return Object.keys(event).length > 0 ? event : undefined;
  } catch {
    return undefined;
  }
}

/** `progress`, `step 1 of 4 · COMPLETE`. */
function summarize(event: StructuredEvent): { name: string; facts: string } {
  const nameKey = ['type', 'event'].find((key) => typeof event[key] === 'string');
  const facts = Object.entries(event)
    .filter(([key]) => key !== nameKey)
    // A status speaks for itself.
    .map(([key, value]) =>
      key === 'status' && typeof value === 'string' ? short(value) : `${key} ${short(value)}`,
    );
  return {
    name: nameKey === undefined ? 'event' : String(event[nameKey]),
    facts: facts.join(' · ').replace(' · of ', ' of '),
  };
}

function short(value: unknown): string {
  if (Array.isArray(value)) return '[…]';
  if (typeof value === 'object' && value !== null) return '{…}';
  const text = String(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
