import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instance } from '@viz-js/viz';

const FOLDER = join(import.meta.dirname, '../docs');

/** The picture of docs/architecture.dot, as SVG. */
export async function architectureSvg(): Promise<string> {
  const viz = await instance();
  const source = readFileSync(join(FOLDER, 'architecture.dot'), 'utf8');
  return `${viz.renderString(source, { format: 'svg' }).trim()}\n`;
}

if (import.meta.main) writeFileSync(join(FOLDER, 'architecture.svg'), await architectureSvg());
