/** Where the runbook is read, unless a prop says otherwise. */
export const RUNBOOK_URL = 'https://github.com/agentcore-stream/agentcore-stream/blob/main/docs/runbook.md';

/** Anchors of the runbook's articles: its headings as GitHub makes anchors of them. */
export const ARTICLES = {
  stopTheBleeding: 'stop-the-bleeding',
  usersAreAffected: 'users-are-affected',
  errorRate: 'error-rate',
  slowFirstChunk: 'slow-first-chunk',
  connectionFailures: 'connection-failures',
  timeouts: 'timeouts',
  throttles: 'throttles',
  incompleteResponses: 'incomplete-responses',
  functionErrors: 'function-errors',
  agentCore: 'agentcore-itself',
} as const;

export type Article = keyof typeof ARTICLES;

/** Link to one article. */
export function articleUrl(runbookUrl: string, article: Article): string {
  return `${runbookUrl}#${ARTICLES[article]}`;
}
