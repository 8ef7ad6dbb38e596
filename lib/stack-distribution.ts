import { CfnOutput } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { AgentStreamDistribution } from './distribution.ts';
import type { DistributionHost } from './distribution-origins.ts';

/** The options that only a distribution has. */
const KEYS = ['domainName', 'certificateArn', 'webAclArn', 'pageBucketName'] as const;

/**
 * Returns the distribution that a deployment asks for, if any.
 *
 * @throws Error when an option of a distribution is given without one, or when neither a web ACL nor a limit of answers
 *   bounds its callers
 */
export function distributionOf(
  scope: Construct,
  host: DistributionHost,
  deployment: Deployment,
): AgentStreamDistribution | undefined {
  const { distribution, domainName, certificateArn, webAclArn, pageBucketName } = deployment;
  if (!distribution) {
    const unused = KEYS.find((key) => deployment[key] !== undefined);
    if (unused !== undefined)
      throw new Error(`${unused} is given without distribution: write distribution=on`);
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
        `${name}: expected none with distribution=on, because the function then sees CloudFront in place of its callers, got iam`,
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

/** Adds the addresses of the distribution to the stack's outputs. */
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
