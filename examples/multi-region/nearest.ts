/**
 * The region that answers first, of those that answer at all. Ask once per visit, and keep what it says as long as the
 * session is used: another region knows nothing of it.
 *
 *     const url = await nearest(['https://d111.cloudfront.net', 'https://d222.cloudfront.net']);
 *     for await (const event of streamAgent(url, { agentId: 'helpdesk', prompt, fetch: withContentSha256() })) …
 *
 * @param urls one per region
 * @param timeoutMs after which a region counts as down
 * @returns one of the URLs
 * @throws AggregateError where no region answers, with why of each
 */
export async function nearest(urls: readonly string[], timeoutMs = 5000): Promise<string> {
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await Promise.any(
      urls.map(async (url) => {
        const response = await fetch(new URL('/health', url), { signal });
        if (!response.ok) throw new Error(`${url} answered ${response.status}`);
        return url;
      }),
    );
  } finally {
    // The other requests are of no more use.
    settled.abort();
  }
}
