const COLUMNS = 128;
const HEIGHT = 24;
const FIRST_SPAN_MS = 2000;

/**
 * A picture of when text arrived: one bar for each slice of time, its height by how much came. The axis doubles
 * when it is full, which merges neighbouring bars, so that it costs the same whatever the answer's length.
 */
export class ArrivalsChart {
  readonly element = svg('svg', {
    class: 'arrivals',
    viewBox: `0 0 ${COLUMNS} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': 'When text arrived',
  });
  readonly #wait = svg('path', { class: 'arrivals-wait' });
  readonly #bars = svg('path', { class: 'arrivals-bars' });
  readonly #now = svg('path', { class: 'arrivals-now' });
  readonly #columns: number[] = new Array(COLUMNS).fill(0);
  #spanMs = FIRST_SPAN_MS;
  #firstMs: number | undefined;

  constructor() {
    this.element.append(this.#wait, this.#bars, this.#now);
  }

  /** Counts text that arrived `atMs` after the prompt was sent. */
  add(atMs: number, length: number): void {
    this.#firstMs ??= atMs;
    this.#fit(atMs);
    const column = this.#columnAt(atMs);
    this.#columns[column] = (this.#columns[column] ?? 0) + length;
  }

  /** Draws the state at `nowMs`. */
  draw(nowMs: number): void {
    this.#fit(nowMs);
    const now = (nowMs / this.#spanMs) * COLUMNS;
    const waited = ((this.#firstMs ?? nowMs) / this.#spanMs) * COLUMNS;
    this.#wait.setAttribute('d', `M0 ${HEIGHT - 1}H${waited.toFixed(2)}`);
    this.#now.setAttribute('d', `M${now.toFixed(2)} 0V${HEIGHT}`);
    const highest = Math.max(...this.#columns);
    const bars = this.#columns.map((length, column) => {
      if (length === 0) return '';
      const height = Math.max(2, Math.sqrt(length / highest) * (HEIGHT - 2));
      return `M${column + 0.1} ${HEIGHT}v${-height.toFixed(1)}h.8v${height.toFixed(1)}z`;
    });
    this.#bars.setAttribute('d', bars.join(''));
  }

  /** Draws the whole answer over the full width. */
  finish(endMs: number, label: string): void {
    this.draw(endMs);
    const used = Math.max(this.#columnAt(endMs) + 1, 16);
    this.element.setAttribute('viewBox', `0 0 ${used} ${HEIGHT}`);
    this.element.setAttribute('aria-label', label);
    this.#now.remove();
  }

  #fit(ms: number): void {
    while (ms >= this.#spanMs) {
      this.#spanMs *= 2;
      for (let column = 0; column < COLUMNS; column += 1) {
        const [left = 0, right = 0] = this.#columns.slice(2 * column, 2 * column + 2);
        this.#columns[column] = left + right;
      }
    }
  }

  #columnAt(ms: number): number {
    return Math.min(COLUMNS - 1, Math.floor((ms / this.#spanMs) * COLUMNS));
  }
}

function svg<Tag extends 'svg' | 'path'>(
  tag: Tag,
  attributes: Record<string, string>,
): SVGElementTagNameMap[Tag] {
  const created = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}
