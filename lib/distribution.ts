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
  /** The host that streams. It must require signed requests. */
  readonly host: DistributionHost;
  /**
   * The bucket with your own page, which is served on the same domain. The agents are then under /api only.
   *
   * @default - no page: every path leads to the agents
   */
  readonly pageBucket?: IBucket;
  /**
   * The silence of the host after which CloudFront answers 504. An SSE answer is never silent for longer than
   * `heartbeatInterval`; a JSON answer may be, until its first text.
   *
   * @default - 60 s, which every account allows
   */
  readonly readTimeout?: Duration;
  /** The `heartbeatInterval` of the host. @default - 15 s */
  readonly heartbeatInterval?: Duration;
  /** The `commitAfter` of the host. @default - 25 s */
  readonly commitAfter?: Duration;
}

/** The paths that lead to the host when a page has all others. */
const HOST_PATHS = ['/api', '/api/*', '/health'];

/**
 * CloudFront in front of a host: page and agents share one domain, answers are neither cached nor held back, and the
 * host itself accepts only signed requests.
 *
 * A caller that posts must send `x-amz-content-sha256`, the SHA-256 of the body in hexadecimal digits, because
 * CloudFront signs a request without reading its body. The client sends the header with `withContentSha256`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda.html
 */
export class AgentStreamDistribution extends Construct {
  readonly distribution: cloudfront.Distribution;
  /** The address of the distribution, such as `https://app.example.com`, or under CloudFront's own name. */
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
      // The signature covers the host's own name, so the viewer's Host header must not be passed on.
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
        'the distribution is public: CloudFront signs the requests of everybody who knows its domain; set webAclArn, or check the user at the edge (docs/deployment.md)',
      );
    }
    acknowledgeFindings(this.distribution, props);
  }
}

const COMMON = {
  viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
  responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
} as const;

/** @throws Error when the host may be silent for longer than CloudFront waits */
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
    CFR1: 'callers are not restricted by country here; a web ACL can do so',
    CFR3: 'the function writes a line per request, and the dashboard counts them; access logs would add a bucket of addresses',
    ...(webAclArn === undefined && {
      CFR2: 'webAclArn sets a web ACL, and synthesis warns when there is none',
    }),
    ...(certificateArn === undefined && {
      CFR4: 'CloudFront decides on the TLS of its own domain; domainName and certificateArn set TLS 1.2 (2021)',
    }),
  };
  for (const [rule, reason] of Object.entries(reasons)) {
    Validations.of(distribution).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  }
}
