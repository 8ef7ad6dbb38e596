import DOMPurify from 'dompurify';
import { Marked, type Token, type Tokens } from 'marked';
import { button, copyFrom, element } from './dom.ts';
import { eventExtension, withoutMarks } from './structured.ts';

/** `<cfn>…</cfn>`: how an agent marks a CloudFormation template. While it streams the closing tag is missing. */
interface TemplateToken extends Tokens.Generic {
  type: 'cfn';
  template: string;
}

const TEMPLATE = /^<cfn>([\s\S]*?)(?:<\/cfn>[^\S\n]*(?:\n|$)|<\/cfn>|$)/;
/** A template may come fenced as well; the tags say enough. */
const FENCE = /^```\w*\n([\s\S]*?)(?:\n```)?$/;

/** The page's own, and the agent's name over its answer. */
const HEADINGS_ABOVE = 2;
/** Such as us-east-1, which is not broken at its hyphens; not inside a tag, where it is part of an address. */
const REGION = /\b[a-z]{2}(?:-[a-z]+)+-\d\b(?![^<]*>)/g;

const marked = new Marked({
  gfm: true,
  // Agents end lines where they mean to.
  breaks: true,
  // A link definition would vanish from the text, and one that comes later cannot change what is already shown.
  tokenizer: { def: () => undefined },
  extensions: [
    {
      name: 'cfn',
      level: 'block',
      // Not `<cfn>` in backticks, where an agent speaks about the tag.
      start: (source) => source.search(/(?<!`)<cfn>/),
      tokenizer(source): TemplateToken | undefined {
        const match = TEMPLATE.exec(source);
        if (!match) return undefined;
        const [raw, inner = ''] = match;
        const template = inner.replace(/^\s*\n|\s+$/g, '');
        return { type: 'cfn', raw, template: FENCE.exec(template)?.[1] ?? template };
      },
      renderer: (token) =>
        `<figure class="template"><figcaption>CloudFormation template</figcaption>${code((token as TemplateToken).template)}</figure>`,
    },
    eventExtension(escapeHtml),
  ],
  renderer: {
    // Nothing of what an agent wrote may be lost, and `<bucket-name>` is not meant as HTML.
    html: ({ text, type }) => (type === 'html' && text.includes('\n') ? literal(text) : escapeHtml(text)),
    // An image is a request to wherever the text says: it becomes a link that a person may follow.
    image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
    code: ({ text }) => code(text),
    heading({ tokens, depth }) {
      const level = Math.min(depth + HEADINGS_ABOVE, 6);
      const text = this.parser.parseInline(tokens).replace(REGION, '<span class="whole">$&</span>');
      return `<h${level}>${text}</h${level}>`;
    },
  },
});

function code(text: string): string {
  return `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre>`;
}

function literal(text: string): string {
  return `<p class="literal">${escapeHtml(text.trimEnd())}</p>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

const purifier = DOMPurify(window);
purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer');
});

function render(tokens: Token[]): DocumentFragment {
  return purifier.sanitize(withoutMarks(marked.parser(tokens)), {
    RETURN_DOM_FRAGMENT: true,
    USE_PROFILES: { html: true },
    FORBID_TAGS: ['style', 'form', 'img', 'video', 'audio', 'picture', 'source'],
    FORBID_ATTR: ['style', 'id', 'name'],
  });
}

function addCopyButtons(blocks: ParentNode): void {
  for (const pre of blocks.querySelectorAll('pre')) {
    const frame = element('div', 'code');
    pre.replaceWith(frame);
    const copy = button('Copy', 'copy', () => copyFrom(copy, pre.textContent, () => 'Copy'));
    frame.append(pre, copy);
  }
}

/** Characters that are looked at in one step: what bounds how long a step takes. */
const WINDOW = 24_000;
/** A code block or template, which may well be longer than that. */
const LONG_BLOCK = /^\s*(```|~~~|<cfn>)/;

/**
 * Shows Markdown that grows. Blocks that nothing can change any more are rendered once and stay, so that a long
 * answer costs no more per step than its last block, and a selection in it survives. Steps are short, and after a
 * slow one the next waits longer: the page stays alive whatever arrives.
 */
export class MarkdownView {
  readonly #onRender: () => void;
  readonly #tail = element('div', 'tail');
  #pending = '';
  #window = WINDOW;
  #isScheduled = false;
  #isFinished = false;
  #costMs = 0;

  /** @param onRender called after each change of what is shown */
  constructor(container: HTMLElement, onRender: () => void) {
    this.#onRender = onRender;
    container.append(this.#tail);
  }

  append(text: string): void {
    this.#pending += text;
    this.#schedule(4 * this.#costMs);
  }

  /** The text has ended. Resolves when all of it is shown. */
  async finish(): Promise<void> {
    this.#isFinished = true;
    // Not by animation frames: a page in the background has none.
    while (this.#step()) await new Promise((resolve) => setTimeout(resolve));
    addCopyButtons(this.#tail);
    this.#tail.replaceWith(...this.#tail.childNodes);
  }

  #schedule(afterMs: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const onFrame = () => {
      this.#isScheduled = false;
      if (!this.#isFinished && this.#step()) this.#schedule(this.#costMs);
    };
    if (afterMs <= 16) requestAnimationFrame(onFrame);
    else setTimeout(() => requestAnimationFrame(onFrame), afterMs);
  }

  /** Shows some more; true when there is more still. */
  #step(): boolean {
    const startedAt = performance.now();
    // As the lexer itself does, so that lengths agree; a CR at the very end may be half of a CRLF.
    if (this.#pending.includes('\r')) this.#pending = this.#pending.replace(/\r\n|\r(?!$)/g, '\n');
    const source = this.#pending.slice(0, this.#window);
    const hasMore = source.length < this.#pending.length;
    const shown =
      hasMore && !source.includes('\n\n') && !LONG_BLOCK.test(source)
        ? this.#showAsItIs(source)
        : this.#showBlocks(source);
    this.#pending = this.#pending.slice(shown);
    this.#window = hasMore && shown === 0 ? this.#window * 2 : WINDOW;
    this.#onRender();
    this.#costMs = performance.now() - startedAt;
    return hasMore;
  }

  /** Shows a paragraph so long that nobody wrote it as Markdown; returns how much of it. */
  #showAsItIs(source: string): number {
    const end = source.lastIndexOf('\n') + 1 || source.lastIndexOf(' ') + 1 || source.length;
    this.#tail.before(element('div', 'literal', withoutMarks(source.slice(0, end))));
    return end;
  }

  /** Shows all blocks, the last one for the time being; returns the length of the others. */
  #showBlocks(source: string): number {
    const tokens = marked.lexer(source);
    const last = Math.max(
      tokens.findLastIndex((token) => token.type !== 'space'),
      0,
    );
    const settled = tokens.slice(0, last);
    if (settled.length > 0) {
      const blocks = render(settled);
      addCopyButtons(blocks);
      this.#tail.before(blocks);
    }
    this.#tail.replaceChildren(render(tokens.slice(last)));
    return settled.reduce((length, token) => length + token.raw.length, 0);
  }
}
