/** The longest message that is kept. */
const MAX_LENGTH = 300;

/**
 * Shortens the message of an AWS error so that it may be logged. The refusal of a signature quotes the signature, or
 * goes on with the canonical request, which contains the session token.
 */
export function withoutSignedRequest(message: string): string {
  const [loggable = ''] = message
    .slice(0, MAX_LENGTH)
    .split(/\n|\s*\b(?:Authorization|Credential|Signature)=|AWS4-/, 1);
  return loggable;
}
