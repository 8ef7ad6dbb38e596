/** The runbook's path in this repository. Alarms and dashboard name it when no address is given. */
export const RUNBOOK_FILE = 'docs/runbook.md';

/** The anchors of the runbook's articles, as GitHub derives them from the headings. */
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
  cannotStart: 'the-server-cannot-start',
  uncaught: 'uncaught',
  sessionStore: 'the-session-store-fails',
  agentCore: 'agentcore-itself',
} as const;

export type Article = keyof typeof ARTICLES;

/**
 * Returns where to read an article: the runbook's address, or its file in this repository, with the article's anchor.
 */
export function articleLink(runbookUrl: string | undefined, article: Article): string {
  return `${runbookUrl ?? RUNBOOK_FILE}#${ARTICLES[article]}`;
}

/**
 * Returns the link as Markdown. A path within the repository is no link, because it would lead nowhere from the
 * console.
 */
export function articleMarkdown(runbookUrl: string | undefined, article: Article): string {
  const link = articleLink(runbookUrl, article);
  return runbookUrl === undefined ? `Runbook: \`${link}\`` : `[Runbook](${link})`;
}

/**
 * Checks the address that links begin with.
 *
 * @throws Error naming the expected value and the given one
 */
export function checkRunbookUrl(runbookUrl: string): void {
  if (/^https:\/\/[^\s#()]+$/.test(runbookUrl) && URL.canParse(runbookUrl)) return;
  throw new Error(
    `runbookUrl: expected an https address without "#", such as https://wiki.example.com/runbook, got ${JSON.stringify(runbookUrl)}`,
  );
}
