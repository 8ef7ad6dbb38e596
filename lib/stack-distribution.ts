import { CfnOutput } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { AgentStreamDistribution } from './distribution.ts';
import type { DistributionHost } from './distribution-origins.ts';

/** What only a distribution has. */
const KEYS = ['domainName', 'certificateArn', 'webAclArn', 'pageBucketName'] as const;

/**
 * The distribution that a deployment asks for.
 *
 * @throws Error where what belongs to a distribution is given without it, or nothing bounds who may call
 */
export function distributionOf(
  scope: Construct,
  host: DistributionHost,
  deployment: Deployment,
): AgentStreamDistribution | undefined {
  const { distribution, domainName, certificateArn, webAclArn, pageBucketName } = deployment;
  if (!distribution) {
    const lonely = KEYS.find((key) => deployment[key] !== undefined);
    if (lonely !== undefined)
      throw new Error(`${lonely} is given without distribution: write distribution=on`);
    return undefined;
  }
  const bound = deployment.reservedConcurrentExecutions ?? deployment.maxEnvironments;
  if (webAclArn === undefined && bound === undefined) {
    throw new Error(
      'distribution=on needs webAclArn or reservedConcurrency (with host=web maxEnvironments): anybody may call through it, so say who may, or how many answers may stream (and be paid for) at once',
    );
  }
  for (const name of ['sessionBinding', 'userId'] as const) {
    if (deployment[name] === 'iam') {
      throw new Error(
        `${name}: expected none with distribution=on, as the function then sees CloudFront in the place of its callers, got iam`,
      );
    }
  }
  const { heartbeatInterval, commitAfter } = deployment;
  return new AgentStreamDistribution(scope, 'Distribution', {
    host,
    ...(domainName !== undefined && { domainName }),
    ...(certificateArn !== undefined && { certificateArn }),
    ...(webAclArn !== undefined && { webAclArn }),
    ...(pageBucketName !== undefined && {
      pageBucket: Bucket.fromBucketName(scope, 'PageBucket', pageBucketName),
    }),
    ...(heartbeatInterval && { heartbeatInterval }),
    ...(commitAfter && { commitAfter }),
  });
}

/** Says where the distribution is. */
export function outputDistribution(scope: Construct, { url, distribution }: AgentStreamDistribution): void {
  new CfnOutput(scope, 'DistributionUrl', {
    value: url,
    description: 'Where pages send their POST, with x-amz-content-sha256',
  });
  new CfnOutput(scope, 'DistributionDomain', {
    value: distribution.distributionDomainName,
    description: 'For the DNS record of the domain',
  });
}
