import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A link to a heading: the file, empty for its own, and the heading's anchor. */
const LINK = /\]\(([^)#\s:]*)#([\w-]+)\)/g;

/**
 * Points links to headings that exist. The Markdown plugin of TypeDoc numbers the anchor of a name that it has met
 * before, although the headings of one file do not repeat it.
 *
 * @throws Error naming the links that lead nowhere all the same
 */
export function mendAnchors(folder: string): void {
  const files = globSync('**/*.md', { cwd: folder });
  const text = new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  const anchors = new Map([...text].map(([file, content]) => [file, anchorsOf(content)]));
  const lost: string[] = [];
  for (const [file, content] of text) {
    const mended = content.replace(LINK, (link, target: string, anchor: string) => {
      const known = anchors.get(target === '' ? file : normalize(join(dirname(file), target)));
      const found = [anchor, anchor.replace(/-\d+$/, '')].find((one) => known?.has(one));
      if (found === undefined) lost.push(`${file}: ${target}#${anchor}`);
      return found === undefined ? link : `](${target}#${found})`;
    });
    if (mended !== content) writeFileSync(join(folder, file), mended);
  }
  if (lost.length > 0) throw new Error(`links that lead nowhere: ${lost.join(', ')}`);
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(content: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  const prose = content.replace(/^```.*?^```/gms, '');
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}
