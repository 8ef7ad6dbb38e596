import { Annotations, Duration, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

import { SETTINGS } from '../lambda/settings.ts';
import { checkDomain, type DomainProps } from './distribution-checks.ts';
import { type DistributionHost, letDistributionCall, signedOrigin } from './distribution-origins.ts';

export interface AgentStreamDistributionProps extends DomainProps {
  /** What streams; it must want signed requests. */
  readonly host: DistributionHost;
  /** The page of your own, on the same domain; the agents are then under /api. @default - the agents alone, under / as well */
  readonly pageBucket?: IBucket;
  /**
   * Silence of the host after which CloudFront answers 504. SSE is never silent for longer than `heartbeatInterval`;
   * a JSON answer is, until its first text.
   *
   * @default - 60 s, which every account allows
   */
  readonly readTimeout?: Duration;
  /** Of the host, where it is not the default. @default - 15 s */
  readonly heartbeatInterval?: Duration;
  /** Of the host, where it is not the default. @default - 25 s */
  readonly commitAfter?: Duration;
}

/** Paths that lead to the host where the page has the rest. */
const HOST_PATHS = ['/api', '/api/*', '/health'];

/**
 * CloudFront in front of a host: one domain for page and agents, nothing cached, nothing held back, and the host itself
 * closed to everybody whose requests CloudFront does not sign.
 *
 * Whoever posts must send `x-amz-content-sha256`, the SHA-256 of the body in hexadecimal digits: CloudFront signs, but
 * does not read, what it passes on. The client does so with `withContentSha256`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda.html
 */
export class AgentStreamDistribution extends Construct {
  readonly distribution: cloudfront.Distribution;
  /** `https://app.example.com`, or CloudFront's own name. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: AgentStreamDistributionProps) {
    super(scope, id);
    const { host, pageBucket, domainName, certificateArn, webAclArn } = props;
    checkDomain(props);
    const readTimeout = props.readTimeout ?? Duration.seconds(60);
    checkSilence(readTimeout, props);
    const agents: cloudfront.BehaviorOptions = {
      ...COMMON,
      origin: signedOrigin(this, host, { readTimeout, keepaliveTimeout: Duration.seconds(60) }),
      allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
      cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
      // The host is known by its own name: that of the viewer is not what its signature is for.
      originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      compress: false,
    };
    const page = pageBucket && {
      ...COMMON,
      origin: S3BucketOrigin.withOriginAccessControl(pageBucket),
      cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
    };
    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: 'Streams AgentCore agents',
      defaultBehavior: page ?? agents,
      ...(page && {
        additionalBehaviors: Object.fromEntries(HOST_PATHS.map((path) => [path, agents])),
        defaultRootObject: 'index.html',
      }),
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      ...(domainName !== undefined && { domainNames: [domainName] }),
      ...(certificateArn !== undefined && {
        certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      }),
      ...(webAclArn !== undefined && { webAclId: webAclArn }),
    });
    letDistributionCall(this, host, this.distribution.distributionId);
    this.url = `https://${domainName ?? this.distribution.distributionDomainName}`;
    if (webAclArn === undefined) {
      Annotations.of(this).addWarningV2(
        'agentcore-stream:publicDistribution',
        'the distribution is public: CloudFront signs the request of whoever knows its domain; set webAclArn, or check the user at the edge (docs/deployment.md)',
      );
    }
    acknowledgeFindings(this.distribution, props);
  }
}

const COMMON = {
  viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
  responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
} as const;

/** @throws Error where the host may be silent for longer than CloudFront waits */
function checkSilence(readTimeout: Duration, props: AgentStreamDistributionProps): void {
  for (const name of ['heartbeatInterval', 'commitAfter'] as const) {
    const silence = props[name] ?? Duration.millis(SETTINGS[name].default);
    if (readTimeout.isUnresolved() || silence.isUnresolved()) continue;
    if (silence.toMilliseconds() < readTimeout.toMilliseconds()) continue;
    throw new Error(
      `readTimeout: expected more than ${name} (${silence.toMilliseconds()} ms), or CloudFront ends answers that are silent for a while, got ${readTimeout.toMilliseconds()} ms`,
    );
  }
}

function acknowledgeFindings(
  distribution: cloudfront.Distribution,
  { webAclArn, certificateArn }: DomainProps,
): void {
  const reasons: Record<string, string> = {
    CFR1: 'who may call is not a matter of countries here; a web ACL can restrict them',
    CFR3: 'the function writes a line per request, and the dashboard counts them; access logs would add a bucket of addresses',
    ...(webAclArn === undefined && {
      CFR2: 'webAclArn sets a web ACL; that none was given is warned of at synthesis',
    }),
    ...(certificateArn === undefined && {
      CFR4: 'CloudFront decides on TLS for its own domain; domainName and certificateArn set TLS 1.2 (2021)',
    }),
  };
  for (const [rule, reason] of Object.entries(reasons)) {
    Validations.of(distribution).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  }
}
