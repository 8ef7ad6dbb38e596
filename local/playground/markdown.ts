import DOMPurify from 'dompurify';
import { Marked, type Token, type Tokens } from 'marked';
import { button, copyFrom, element } from './dom.ts';

/** `<cfn>…</cfn>`: how an agent marks a CloudFormation template. While it streams the closing tag is missing. */
interface TemplateToken extends Tokens.Generic {
  type: 'cfn';
  template: string;
}

const TEMPLATE = /^<cfn>([\s\S]*?)(?:<\/cfn>[^\S\n]*(?:\n|$)|<\/cfn>|$)/;
/** A template may come fenced as well; the tags say enough. */
const FENCE = /^```\w*\n([\s\S]*?)(?:\n```)?$/;

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
  ],
  renderer: {
    // Nothing of what an agent wrote may be lost, and `<bucket-name>` is not meant as HTML.
    html: ({ text, type }) => (type === 'html' && text.includes('\n') ? literal(text) : escapeHtml(text)),
    // An image is a request to wherever the text says: it becomes a link that a person may follow.
    image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
    code: ({ text }) => code(text),
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
  return purifier.sanitize(marked.parser(tokens), {
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
    const copy = button('Copy', 'copy', () => copyFrom(copy, pre.textContent));
    frame.append(pre, copy);
  }
}

/**
 * Shows Markdown that grows. Blocks that nothing can change any more are rendered once and stay, so that a long
 * answer costs no more per frame than its last block, and a selection in it survives. Rendering takes at most
 * about a fifth of the time: after a slow one the next waits longer.
 */
export class MarkdownView {
  readonly #onRender: () => void;
  readonly #tail = element('div', 'tail');
  #pending = '';
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBefore = 0;

  /** @param onRender called after each change of what is shown */
  constructor(container: HTMLElement, onRender: () => void) {
    this.#onRender = onRender;
    container.append(this.#tail);
  }

  append(text: string): void {
    this.#pending += text;
    if (this.#frame || this.#timer) return;
    const waitMs = this.#notBefore - performance.now();
    if (waitMs <= 16) this.#requestFrame();
    else
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#requestFrame();
      }, waitMs);
  }

  /** Shows everything now; the text has ended. */
  finish(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#render();
    addCopyButtons(this.#tail);
    this.#tail.replaceWith(...this.#tail.childNodes);
  }

  #requestFrame(): void {
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
    });
  }

  #render(): void {
    const startedAt = performance.now();
    // As the lexer itself does, so that lengths agree; a CR at the very end may be half of a CRLF.
    this.#pending = this.#pending.replace(/\r\n|\r(?!$)/g, '\n');
    const tokens = marked.lexer(this.#pending);
    const last = tokens.findLastIndex((token) => token.type !== 'space');
    const settled = tokens.slice(0, Math.max(last, 0));
    if (settled.length > 0) {
      const blocks = render(settled);
      addCopyButtons(blocks);
      this.#tail.before(blocks);
      this.#pending = this.#pending.slice(settled.reduce((length, token) => length + token.raw.length, 0));
    }
    this.#tail.replaceChildren(render(tokens.slice(Math.max(last, 0))));
    this.#onRender();
    const now = performance.now();
    this.#notBefore = now + 4 * (now - startedAt);
  }
}
