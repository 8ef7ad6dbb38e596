import { AwsClient } from 'aws4fetch';

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

interface Options {
  /** Of the Function URL. */
  region: string;
  /** Asked before each request: it keeps what it has got until that expires. */
  credentials: () => Promise<Credentials>;
}

/** A `fetch` for a Function URL of the auth type AWS_IAM, in browsers and in Node.js: it signs with SigV4. */
export function createSignedFetch({ region, credentials }: Options): typeof fetch {
  return async (input, init) => {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await credentials();
    const signer = new AwsClient({ accessKeyId, secretAccessKey, sessionToken, region, service: 'lambda' });
    // Not its own `fetch`, which tries again by itself: a prompt is sent once.
    return fetch(await signer.sign(input instanceof URL ? String(input) : input, init));
  };
}
