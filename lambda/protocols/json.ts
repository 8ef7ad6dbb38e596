import type { ResponseFormat } from '../answer/protocol.ts';

/** One JSON document, written as it arrives: memory stays flat, and it is valid at every kind of end. */
export const json: ResponseFormat = {
  mediaType: 'application/json',
  contentType: 'application/json',
  fillsSilence: false,
  open: ({ sessionId, agentId }) => `${JSON.stringify({ sessionId, agentId }).slice(0, -1)},"response":"`,
  maxChunkLength: Number.POSITIVE_INFINITY,
  // The inside of a JSON string: a pair cut between two chunks is escaped as two halves, which a parser joins.
  chunk: (text) => JSON.stringify(text).slice(1, -1),
  heartbeat: '',
  nudge: '',
  done: (_context, { chunks, durationMs }) => `",${members({ metadata: { chunks, durationMs } })}`,
  fail: (_context, { chunks, durationMs }, error) =>
    `",${members({
      incomplete: true,
      error: {
        code: error.code,
        message: error.publicMessage,
        retryable: error.retryable,
        promptSent: error.promptSent,
        details: error.publicDetails(),
      },
      metadata: { chunks, durationMs },
    })}`,
};

/** The members of an object and its closing brace. */
function members(object: object): string {
  return JSON.stringify(object).slice(1);
}
