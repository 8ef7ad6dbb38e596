/** The runbook's place in this repository: what alarms and dashboard name when no address is given. */
export const RUNBOOK_FILE = 'docs/runbook.md';

/** Anchors of the runbook's articles: its headings as GitHub makes anchors of them. */
export const ARTICLES = {
  stopTheBleeding: 'stop-the-bleeding',
  usersAreAffected: 'users-are-affected',
  errorRate: 'error-rate',
  oneAgentFails: 'one-agent-fails',
  hangs: 'an-agent-hangs',
  lowTraffic: 'failures-at-low-traffic',
  probe: 'the-probe-fails',
  degraded: 'degraded',
  slowFirstChunk: 'slow-first-chunk',
  slowConnections: 'slow-connections',
  connectionFailures: 'connection-failures',
  timeouts: 'timeouts',
  throttles: 'throttles',
  incompleteResponses: 'incomplete-responses',
  functionErrors: 'function-errors',
  agentCore: 'agentcore-itself',
} as const;

export type Article = keyof typeof ARTICLES;

/** Where to read an article: the address with its anchor, or the file in this repository with it. */
export function articleLink(runbookUrl: string | undefined, article: Article): string {
  return `${runbookUrl ?? RUNBOOK_FILE}#${ARTICLES[article]}`;
}

/** The same as Markdown. A path within the repository would lead nowhere from the console, so it is not a link. */
export function articleMarkdown(runbookUrl: string | undefined, article: Article): string {
  const link = articleLink(runbookUrl, article);
  return runbookUrl === undefined ? `Runbook: \`${link}\`` : `[Runbook](${link})`;
}

/**
 * Checks the address that links begin with.
 *
 * @throws Error naming what was expected and what came
 */
export function checkRunbookUrl(runbookUrl: string): void {
  if (/^https:\/\/[^\s#()]+$/.test(runbookUrl) && URL.canParse(runbookUrl)) return;
  throw new Error(
    `runbookUrl: expected an https address without "#", such as https://wiki.example.com/runbook, got ${JSON.stringify(runbookUrl)}`,
  );
}
