import type { CredentialProvider } from '../agentcore/signing.ts';

/** Reads a variable of the environment. @throws Error naming the variable when it is not set */
export function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name}: expected a value in the environment, got none`);
  return value;
}

/** Returns the credentials of the function's role, which Lambda puts into the environment. */
export const roleCredentials: CredentialProvider = async () => ({
  accessKeyId: env('AWS_ACCESS_KEY_ID'),
  secretAccessKey: env('AWS_SECRET_ACCESS_KEY'),
  ...(process.env.AWS_SESSION_TOKEN && { sessionToken: process.env.AWS_SESSION_TOKEN }),
});

/** Writes a line to the log. */
export function log(level: 'info' | 'error', message: string, fields: object): void {
  console[level](JSON.stringify({ level: level.toUpperCase(), message, ...fields }));
}
