/** The element with this id, which the page's own HTML has. */
export function byId<Type extends HTMLElement>(id: string): Type {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return element as Type;
}

type Child = Node | string | undefined | false;

/** A new element with a class and children; text is text, never HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...children.filter((child) => child !== undefined && child !== false));
  return created;
}

/** A button that does something. */
export function button(label: string, className: string, onClick: () => void): HTMLButtonElement {
  const created = element('button', className, label);
  created.type = 'button';
  created.addEventListener('click', onClick);
  return created;
}

/** Says something to a screen reader. */
export function announce(words: string): void {
  byId('announcer').textContent = words;
}

/**
 * Copies a text and says so for a moment where a button has its label; then the label is there again.
 *
 * @returns whether it is copied
 */
export async function copyFrom(source: HTMLElement, text: string, label: () => string): Promise<boolean> {
  // The clipboard is missing on plain http, and may be denied.
  const copied = await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
    () => true,
    () => false,
  );
  source.textContent = copied ? 'Copied' : 'Cannot copy';
  announce(source.textContent);
  setTimeout(() => {
    source.textContent = label();
  }, 1200);
  return copied;
}

/** 840 ms, 2.4 s, 1 min 5 s. */
export function formatMs(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** 1,042 ms: where a gap of a few milliseconds is looked for. */
export function formatExactMs(ms: number): string {
  return `${Math.round(ms).toLocaleString('en')} ms`;
}

/** 512 B, 3.4 KB, 5.0 MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 999_950 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
