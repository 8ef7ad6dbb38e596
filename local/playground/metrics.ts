import { element, formatMs } from './dom.ts';
import type { AgentFigures, LiveFigures } from './live-metrics.ts';

const COLUMNS = ['Agent', 'Requests', 'Success', 'First text p50', 'First text p90', 'Connections', 'Errors'];

/**
 * Shows the service's figures as they change: a button with the most important ones, and a panel with all.
 * Nothing is shown where there are none, as on a deployed service.
 *
 * @param nameOf the name of the agent with an id
 */
export function mountMetrics(target: HTMLElement, nameOf: (agentId: string) => string): void {
  const toggle = element('button', 'quiet metrics-toggle');
  const panel = element('div', 'metrics-panel');
  toggle.type = 'button';
  toggle.hidden = true;
  toggle.popoverTargetElement = panel;
  panel.popover = 'auto';
  panel.setAttribute('aria-label', 'Live figures');
  const top = element('div', '');
  const counts = element('dl', '');
  // Apart from what is replaced, so that it stays open, and keeps the focus.
  panel.append(top, element('details', 'metrics-all', element('summary', '', 'All counts'), counts));
  target.append(toggle, panel);

  const source = new EventSource('/playground/metrics');
  source.addEventListener('message', ({ data }) => {
    const figures = JSON.parse(data as string) as LiveFigures;
    toggle.hidden = false;
    toggle.classList.remove('is-stale');
    toggle.replaceChildren(...headline(figures));
    top.replaceChildren(...details(figures, nameOf));
    counts.replaceChildren(...allCounts(figures));
  });
  source.addEventListener('error', () => {
    toggle.classList.add('is-stale');
    // It tries again by itself, unless nobody answers there.
    if (source.readyState === EventSource.CLOSED) toggle.hidden = true;
  });
}

function headline({ all, concurrentStreams }: LiveFigures): HTMLElement[] {
  const { invocations, errors, successRate } = all;
  const figure = (value: string, what: string, isBad = false) =>
    element('span', isBad ? 'metrics-figure is-bad' : 'metrics-figure', element('b', '', value), ` ${what}`);
  return [
    figure(String(invocations), invocations === 1 ? 'request' : 'requests'),
    ...(successRate === null ? [] : [figure(percent(successRate), 'success', errors > 0)]),
    figure(String(concurrentStreams), concurrentStreams === 1 ? 'stream' : 'streams'),
  ];
}

function details(
  { all, agents, rejected, coldStarts, connectionTime }: LiveFigures,
  nameOf: (agentId: string) => string,
): HTMLElement[] {
  const table = element(
    'table',
    'metrics-table',
    element('thead', '', element('tr', '', ...COLUMNS.map((name) => heading('col', name)))),
    element('tbody', '', ...agents.map((figures) => row(nameOf(figures.agent), figures))),
  );
  const { p50, p90, p99 } = all.firstChunkWarm;
  const withoutAgent = all.errors - sum(agents, 'errors');
  const rest = [
    `${coldStarts} cold ${coldStarts === 1 ? 'start' : 'starts'}`,
    `${rejected} rejected ${rejected === 1 ? 'request' : 'requests'}`,
    ...(withoutAgent > 0 ? [`${withoutAgent} failed before there was an agent`] : []),
  ].join(' · ');
  const note = (text: string) => element('p', 'metrics-note', text);
  return [
    agents.length > 0 ? table : note('No agent has been asked yet.'),
    note(
      `First text where no microVM had to be started: p50 ${duration(p50)} · p90 ${duration(p90)} · p99 ${duration(p99)}`,
    ),
    note(
      `Connecting: p50 ${duration(connectionTime.p50)} · p90 ${duration(connectionTime.p90)} · p99 ${duration(connectionTime.p99)}`,
    ),
    note(rest),
    note('From the metrics that the function prints, since this system was started.'),
  ];
}

function row(name: string, figures: AgentFigures): HTMLTableRowElement {
  const { invocations, successRate, firstChunk, outcomes } = figures;
  const errors = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const isBad = errors.length > 0 ? 'is-bad' : '';
  const cells = [
    element('td', '', String(invocations)),
    element('td', isBad, successRate === null ? '–' : percent(successRate)),
    element('td', '', duration(firstChunk.p50)),
    element('td', '', duration(firstChunk.p90)),
    element('td', '', `${figures.connectionsOpened} new, ${figures.connectionsReused} reused`),
    element('td', isBad, errors.join(', ') || 'none'),
  ];
  // On a phone each row is a card, whose cells say what they are.
  cells.forEach((cell, i) => {
    cell.dataset.label = COLUMNS[i + 1] ?? '';
  });
  return element('tr', '', heading('row', name), ...cells);
}

function allCounts({ totals }: LiveFigures): HTMLElement[] {
  const words = (name: string) => name.replace(/(?<!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return Object.entries(totals).map(([name, value]) =>
    element('div', '', element('dt', '', words(name)), element('dd', '', value.toLocaleString('en'))),
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
