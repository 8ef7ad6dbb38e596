import type { IncomingMessage } from 'node:http';
import { StreamError } from '../errors.ts';
import { decodeUtf8 } from '../http/body.ts';
import type { Request } from '../http/request.ts';
import { acceptOrMintSessionId } from '../sessions/session-id.ts';

/** Turns a request of `node:http` into ours. The body is read only when it is asked for. */
export function toRequest(incoming: IncomingMessage, requestId: string, maxBodyBytes: number): Request {
  const { method = '', url: target = '' } = incoming;
  const queryAt = target.indexOf('?');
  return {
    method,
    path: queryAt < 0 ? target : target.slice(0, queryAt),
    query: queryAt < 0 ? '' : target.slice(queryAt + 1),
    // Only Set-Cookie is a list, and requests do not have it.
    headers: incoming.headers as Record<string, string | undefined>,
    body: async () => decodeUtf8(await readBody(incoming, maxBodyBytes)),
    requestId,
    // Any caller can set the trace header, so it names no trace of ours.
    traceId: undefined,
  };
}

/** @throws StreamError PayloadTooLarge as soon as the body is too long, AgentInterrupted when the caller leaves */
function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const settle = (error?: StreamError) => {
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error) reject(error);
      else resolve(Buffer.concat(parts));
    };
    const onData = (part: Buffer) => {
      length += part.length;
      if (length <= maxBytes) parts.push(part);
      else settle(tooLarge(maxBytes));
    };
    const onEnd = () => settle();
    const onClose = () => settle(callerHasLeft());
    if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return settle(tooLarge(maxBytes));
    if (incoming.destroyed) return onClose();
    incoming.on('data', onData).once('end', onEnd).once('close', onClose);
    // A request that is cut off also emits an error, which needs no handling beside `close`.
    incoming.on('error', () => {});
  });
}

/** Makes the error that ends an answer whose caller has left. */
export function callerHasLeft(): StreamError {
  return new StreamError('AgentInterrupted', 'the caller has left', { isCancellation: true });
}

function tooLarge(maxBytes: number): StreamError {
  return new StreamError('PayloadTooLarge', `"body": expected at most ${maxBytes} bytes, got more`, {
    details: { sessionId: acceptOrMintSessionId(undefined), fields: ['body'] },
  });
}
