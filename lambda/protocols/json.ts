import type { Protocol, ProtocolWriter } from '../answer/protocol.ts';
import type { ContentEvent } from '../events.ts';
import { readInvokeRequest } from './invoke-request.ts';

/** One JSON document, written as the answer arrives: memory use stays flat, and the document is valid at every end. */
export const json: Protocol = {
  mediaType: 'application/json',
  contentType: 'application/json',
  fillsSilence: false,
  heartbeat: '',
  nudge: '',
  maxTextLength: Number.POSITIVE_INFINITY,
  inlinesData: true,
  readRequest: readInvokeRequest,
  createWriter({ sessionId, agentId, sessionReplaced }): ProtocolWriter {
    let interrupt: object | undefined;
    return {
      open() {
        const head = { sessionId, agentId, ...(sessionReplaced && { sessionReplaced }) };
        return `${JSON.stringify(head).slice(0, -1)},"response":"`;
      },
      event(event: ContentEvent) {
        // The text is written as the inside of a JSON string. A surrogate pair that is cut between two texts is escaped
        // as two halves, which a parser joins.
        if (event.type === 'text') return JSON.stringify(event.text).slice(1, -1);
        if (event.type === 'interrupt') {
          const { type: _type, ...question } = event;
          interrupt = question;
        }
        return '';
      },
      done: ({ chunks, durationMs, usage, stopped }) =>
        `",${members({ interrupt, stopped, metadata: { chunks, durationMs, usage } })}`,
      fail: (error, { chunks, durationMs, usage }) =>
        `",${members({
          incomplete: true,
          error: {
            code: error.code,
            message: error.publicMessage,
            retryable: error.retryable,
            promptSent: error.promptSent,
            details: error.publicDetails(),
          },
          metadata: { chunks, durationMs, usage },
        })}`,
    };
  },
};

/** Writes the members of an object and its closing brace. */
function members(object: object): string {
  return JSON.stringify(object).slice(1);
}
