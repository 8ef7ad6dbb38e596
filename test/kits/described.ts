import { document, faultsOf, faultsOfAnswer, resolve } from '../fixtures/openapi.ts';

/** A `fetch` that holds what goes out and what comes in against docs/openapi.yaml. */
export interface DescribedFetch {
  fetch: typeof fetch;
  /** Of every request so far, once their answers have ended. */
  faults(): Promise<string[]>;
}

/** @param path as the document writes it */
export function describedFetch(path: string): DescribedFetch {
  const found: Promise<string[]>[] = [];
  return {
    faults: async () => (await Promise.all(found.splice(0))).flat(),
    async fetch(input, init) {
      const response = await fetch(input, init);
      const faults = init?.body ? faultsOfRequest(path, String(init.body)) : [];
      const copy = response.clone();
      found.push(
        copy.text().then(
          (text) => [...faults, ...(init?.body ? faultsOfAnswer(path, response, text) : [])],
          // The client has stopped it.
          () => faults,
        ),
      );
      return response;
    },
  };
}

/** What is wrong with the body of a request to a path of the document. */
export function faultsOfRequest(path: string, body: string): string[] {
  const { $ref = '' } = document.paths[path]?.post?.requestBody ?? {};
  const described = resolve($ref) as { content: { 'application/json': { schema: object } } };
  return faultsOf(JSON.parse(body), described.content['application/json'].schema);
}
