import { StreamError } from '../errors.ts';
import { describe } from '../protocols/fields.ts';
import { acceptOrMintSessionId } from '../sessions/session-id.ts';
import type { Request } from './request.ts';

/**
 * Reads the JSON object that is the body of a request.
 *
 * @throws StreamError UnsupportedEncoding, BadRequest or PayloadTooLarge, each with `details.sessionId`
 */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  refuseEncoded(request.headers['content-encoding']);
  return parseObject(await request.body());
}

/**
 * @throws StreamError UnsupportedEncoding
 * @see https://www.rfc-editor.org/rfc/rfc7694#section-3
 */
export function refuseEncoded(contentEncoding = ''): void {
  const coding = contentEncoding.trim();
  if (/^(identity)?$/i.test(coding)) return;
  // The header is the caller's text, so the error repeats only characters that the name of a coding may have.
  const given = /^[\w-]{1,20}/.exec(coding)?.[0] ?? 'another';
  throw new StreamError('UnsupportedEncoding', `"Content-Encoding": expected none, got ${given}`, {
    details: { sessionId: acceptOrMintSessionId(undefined), fields: ['Content-Encoding'] },
    headers: { 'Accept-Encoding': 'identity' },
  });
}

/** This decoder skips a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws StreamError BadRequest naming `body` */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw badBody('UTF-8', 'invalid UTF-8');
  }
}

/** @throws StreamError BadRequest naming `body` */
export function parseObject(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw badBody('a JSON object', body === '' ? 'nothing' : 'invalid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badBody('a JSON object', describe(value));
  }
  return value as Record<string, unknown>;
}

/** Makes the error of a body that is not as expected. */
export function badBody(expected: string, given: string): StreamError {
  return new StreamError('BadRequest', `"body": expected ${expected}, got ${given}`, {
    // Such a body gives no session id, and every error of this route has one.
    details: { sessionId: acceptOrMintSessionId(undefined), fields: ['body'] },
  });
}
