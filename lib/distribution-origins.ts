import { type Duration, Stack } from 'aws-cdk-lib';
import {
  FunctionUrlOriginAccessControl,
  type IOrigin,
  OriginProtocolPolicy,
  Signing,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin, HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/** The host behind a distribution: a Function URL, or the endpoint of a Web Function. */
export type DistributionHost = lambda.FunctionUrl | lambda.IWebFunctionEndpoint;

interface OriginOptions {
  readonly readTimeout: Duration;
  readonly keepaliveTimeout: Duration;
}

/**
 * Returns the host as an origin whose requests CloudFront signs.
 *
 * @throws Error when the host accepts unsigned requests: it would stay open beside the distribution
 */
export function signedOrigin(scope: Construct, host: DistributionHost, options: OriginOptions): IOrigin {
  if (!isWebEndpoint(host)) {
    requireIam(host.authType === lambda.FunctionUrlAuthType.AWS_IAM, 'Function URL');
    return FunctionUrlOrigin.withOriginAccessControl(host, options);
  }
  requireIam(host.authType === lambda.WebFunctionAuthType.IAM_AUTH, 'Web Function');
  const isGlobal = host.endpointType === lambda.WebFunctionEndpointType.MULTI_REGION;
  const accessControl = new FunctionUrlOriginAccessControl(scope, 'WebFunctionAccess', {
    signing: isGlobal ? Signing.SIGV4A_ALWAYS_AMZ_AUTH : Signing.SIGV4_ALWAYS_AMZ_AUTH,
  });
  return new HttpOrigin(host.domainName, {
    ...options,
    protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
    originAccessControlId: accessControl.originAccessControlId,
  });
}

/**
 * Lets the distribution call a Web Function. The origin of a Function URL adds this permission itself.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda-web.html
 */
export function letDistributionCall(scope: Construct, host: DistributionHost, distributionId: string): void {
  if (!isWebEndpoint(host)) return;
  const distributionArn = Stack.of(scope).formatArn({
    service: 'cloudfront',
    region: '',
    resource: 'distribution',
    resourceName: distributionId,
  });
  host.grants.invoke(
    new ServicePrincipal('cloudfront.amazonaws.com', {
      conditions: { ArnLike: { 'aws:SourceArn': distributionArn } },
    }),
  );
}

function isWebEndpoint(host: DistributionHost): host is lambda.IWebFunctionEndpoint {
  return 'endpointArn' in host;
}

function requireIam(isIam: boolean, what: string): void {
  if (isIam) return;
  throw new Error(
    `distribution: expected a ${what} that requires signed requests (auth=iam), because callers must not bypass CloudFront, got a public one`,
  );
}
