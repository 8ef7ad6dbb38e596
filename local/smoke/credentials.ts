import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { type Send, signingSend } from '../../lambda/smoke/signed-fetch.ts';

export interface ProfileOptions {
  /** Of the shared configuration files. @default the SDK's default chain */
  profile?: string;
  /** @default the one in the Function URL's host name, else AWS_REGION */
  region?: string;
}

/**
 * Signs as whoever the AWS SDK finds on this machine.
 *
 * @throws Error when the region can be had from nowhere
 */
export function signedByProfile(base: URL, { profile, region = regionOf(base) }: ProfileOptions): Send {
  if (region === undefined) {
    throw new Error(`no region in ${base.host}: give it with --region`);
  }
  const provide = defaultProvider(profile === undefined ? {} : { profile });
  return signingSend({
    region,
    credentials: () =>
      provide().catch((cause) => {
        const where = profile === undefined ? 'in the environment' : `of the profile "${profile}"`;
        throw new Error(`no AWS credentials ${where}`, { cause });
      }),
  });
}

/** `https://<id>.lambda-url.<region>.on.aws` */
function regionOf({ hostname }: URL): string | undefined {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  return /\.lambda-url\.([a-z0-9-]+)\./.exec(hostname)?.[1] ?? AWS_REGION ?? AWS_DEFAULT_REGION;
}
