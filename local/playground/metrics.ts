import type { AgentFigures, LiveFigures } from '../live-metrics.ts';
import { element, formatMs } from './dom.ts';

const COLUMNS = ['Agent', 'Requests', 'Success', 'First text p50', 'p90', 'Connections', 'Errors'];

/**
 * Shows the service's figures as they change: a button with the most important ones, and a panel with all.
 * Nothing is shown where there are none, as on a deployed service.
 */
export function mountMetrics(target: HTMLElement): void {
  const toggle = element('button', 'quiet metrics-toggle');
  const panel = element('div', 'metrics-panel');
  toggle.type = 'button';
  toggle.hidden = true;
  toggle.popoverTargetElement = panel;
  panel.popover = 'auto';
  panel.setAttribute('aria-label', 'Live figures');
  target.append(toggle, panel);

  const source = new EventSource('/playground/metrics');
  source.addEventListener('message', ({ data }) => {
    const figures = JSON.parse(data as string) as LiveFigures;
    toggle.hidden = false;
    toggle.classList.remove('is-stale');
    toggle.replaceChildren(...headline(figures));
    panel.replaceChildren(...details(figures));
  });
  source.addEventListener('error', () => {
    toggle.classList.add('is-stale');
    // It tries again by itself, unless nobody answers there.
    if (source.readyState === EventSource.CLOSED) toggle.hidden = true;
  });
}

function headline({ agents, concurrentStreams, otherErrors }: LiveFigures): HTMLElement[] {
  const requests = sum(agents, 'invocations');
  const errors = sum(agents, 'errors') + otherErrors;
  const success = requests + otherErrors === 0 ? undefined : 100 * (1 - errors / (requests + otherErrors));
  const figure = (value: string, what: string, isBad = false) =>
    element('span', isBad ? 'metrics-figure is-bad' : 'metrics-figure', element('b', '', value), ` ${what}`);
  return [
    figure(String(requests), requests === 1 ? 'request' : 'requests'),
    ...(success === undefined ? [] : [figure(percent(success), 'success', errors > 0)]),
    figure(String(concurrentStreams), concurrentStreams === 1 ? 'stream' : 'streams'),
  ];
}

function details({ agents, otherErrors, rejected, coldStarts }: LiveFigures): HTMLElement[] {
  const table = element(
    'table',
    'metrics-table',
    element('thead', '', element('tr', '', ...COLUMNS.map((name) => heading('col', name)))),
    element('tbody', '', ...agents.map(row)),
  );
  const rest = [
    `${coldStarts} cold ${coldStarts === 1 ? 'start' : 'starts'}`,
    `${rejected} rejected ${rejected === 1 ? 'request' : 'requests'}`,
    ...(otherErrors > 0 ? [`${otherErrors} errors outside of any agent`] : []),
  ].join(' · ');
  const body = agents.length > 0 ? table : element('p', 'metrics-note', 'No agent has been asked yet.');
  return [
    body,
    element('p', 'metrics-note', rest),
    element('p', 'metrics-note', 'From the metrics that the function prints, since this system was started.'),
  ];
}

function row(figures: AgentFigures): HTMLTableRowElement {
  const { agent, invocations, successRate, firstChunkP50, firstChunkP90, outcomes } = figures;
  const errors = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const cell = (text: string, className = '') => element('td', className, text);
  return element(
    'tr',
    '',
    heading('row', agent),
    cell(String(invocations)),
    cell(percent(successRate), successRate < 100 ? 'is-bad' : ''),
    cell(duration(firstChunkP50)),
    cell(duration(firstChunkP90)),
    cell(`${figures.connectionsOpened} new, ${figures.connectionsReused} reused`),
    cell(errors.join(', ') || 'none', errors.length > 0 ? 'is-bad' : ''),
  );
}

function heading(scope: 'col' | 'row', text: string): HTMLTableCellElement {
  const created = element('th', '', text);
  created.scope = scope;
  return created;
}

function sum(agents: readonly AgentFigures[], name: 'invocations' | 'errors'): number {
  return agents.reduce((total, figures) => total + figures[name], 0);
}

/** 100 % only where there was no error. */
function percent(value: number): string {
  return `${value === 100 ? 100 : Math.min(value, 99.9).toFixed(1)} %`;
}

function duration(ms: number | null): string {
  return ms === null ? '–' : formatMs(ms);
}
