import type { CredentialProvider } from '../agentcore/signing.ts';

/** A variable that must be there. @throws Error naming it */
export function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name}: expected a value in the environment, got none`);
  return value;
}

/** Those of the function's role, as Lambda gives them. */
export const roleCredentials: CredentialProvider = async () => ({
  accessKeyId: env('AWS_ACCESS_KEY_ID'),
  secretAccessKey: env('AWS_SECRET_ACCESS_KEY'),
  ...(process.env.AWS_SESSION_TOKEN && { sessionToken: process.env.AWS_SESSION_TOKEN }),
});

/** Writes a line of the log. */
export function log(level: 'info' | 'error', message: string, fields: object): void {
  console[level](JSON.stringify({ level: level.toUpperCase(), message, ...fields }));
}
