import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, type Template, Template as Templates } from 'aws-cdk-lib/assertions';
import {
  FunctionUrlAuthType,
  WebFunction,
  WebFunctionAuthType,
  WebFunctionCode,
  WebFunctionRuntime,
} from 'aws-cdk-lib/aws-lambda';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { AgentStreamDistribution } from '../../lib/distribution.ts';
import { functionIn, ourApp, stackOf } from './support.ts';

const BOUNDED = { distribution: true, reservedConcurrentExecutions: 10 } as const;
const DOMAIN = {
  domainName: 'app.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b-2c3d',
  webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/mine/0a1b-2c3d',
};

beforeEach(() => {
  // The CDK prints warnings as well.
  jest.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  jest.restoreAllMocks();
});

const configOf = (template: Template) =>
  Object.values(template.findResources('AWS::CloudFront::Distribution'))[0]?.Properties
    .DistributionConfig as {
    Origins: Record<string, Record<string, unknown>>[];
    DefaultCacheBehavior: Record<string, unknown>;
    CacheBehaviors?: Record<string, unknown>[];
  };

describe('a distribution', () => {
  test('signs what it passes on to the one URL, caches nothing, and waits longer than a stream is silent', () => {
    const template = stackOf(BOUNDED).template();

    const { Origins, DefaultCacheBehavior, CacheBehaviors } = configOf(template);

    expect(Origins).toHaveLength(1);
    expect(Origins[0]).toMatchObject({
      DomainName: {
        'Fn::Select': [
          2,
          { 'Fn::Split': ['/', { 'Fn::GetAtt': [expect.stringMatching(/^StreamLive/), 'FunctionUrl'] }] },
        ],
      },
      OriginAccessControlId: expect.anything(),
      CustomOriginConfig: {
        OriginReadTimeout: 60,
        OriginKeepaliveTimeout: 60,
        OriginProtocolPolicy: 'https-only',
      },
    });
    expect(DefaultCacheBehavior).toMatchObject({
      AllowedMethods: expect.arrayContaining(['POST', 'OPTIONS', 'DELETE']),
      // CachingDisabled, AllViewerExceptHostHeader, SecurityHeaders: managed by AWS.
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
      ResponseHeadersPolicyId: '67f7725c-6f97-4210-82d7-5512b31e9d03',
      ViewerProtocolPolicy: 'redirect-to-https',
      Compress: false,
    });
    expect(CacheBehaviors).toBeUndefined();
    template.hasResourceProperties('AWS::CloudFront::OriginAccessControl', {
      OriginAccessControlConfig: {
        OriginAccessControlOriginType: 'lambda',
        SigningBehavior: 'always',
        SigningProtocol: 'sigv4',
      },
    });
  });

  test('is the only one that the URL’s policy lets in, by both actions', () => {
    const template = stackOf(BOUNDED).template();

    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission')).map(
      ({ Properties }) => Properties as Record<string, unknown>,
    );
    expect(permissions.map(({ Action, Principal }) => [Action, Principal])).toEqual([
      ['lambda:InvokeFunctionUrl', 'cloudfront.amazonaws.com'],
      ['lambda:InvokeFunction', 'cloudfront.amazonaws.com'],
    ]);
    for (const { SourceArn, FunctionName } of permissions) {
      expect(JSON.stringify(SourceArn)).toContain(':distribution/');
      expect(JSON.stringify(FunctionName)).toContain('StreamLiveFunctionUrl');
    }
  });

  test('has the domain, its certificate and its web ACL, and says where it is', () => {
    const template = stackOf({ distribution: true, ...DOMAIN }).template();

    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: ['app.example.com'],
        WebACLId: DOMAIN.webAclArn,
        ViewerCertificate: {
          AcmCertificateArn: DOMAIN.certificateArn,
          MinimumProtocolVersion: 'TLSv1.2_2021',
        },
      },
    });
    template.hasOutput('DistributionUrl', { Value: 'https://app.example.com' });
    template.hasOutput('DistributionDomain', {
      Value: { 'Fn::GetAtt': [Match.stringLikeRegexp('Distribution'), 'DomainName'] },
    });
  });

  test('has the page of one’s own beside the agents, which are then under /api', () => {
    const template = stackOf({ ...BOUNDED, pageBucketName: 'my-page' }).template();

    const { Origins, DefaultCacheBehavior, CacheBehaviors = [] } = configOf(template);

    expect(CacheBehaviors.map(({ PathPattern }) => PathPattern)).toEqual(['/api', '/api/*', '/health']);
    expect(new Set(CacheBehaviors.map(({ TargetOriginId }) => TargetOriginId)).size).toBe(1);
    expect(DefaultCacheBehavior.TargetOriginId).not.toBe(CacheBehaviors[0]?.TargetOriginId);
    expect(JSON.stringify(Origins)).toContain('my-page');
  });

  test('lets itself read a bucket of the same app', () => {
    const { stack, subject } = functionIn();
    const pageBucket = new Bucket(stack, 'Page');

    new AgentStreamDistribution(stack, 'Distribution', {
      host: subject.functionUrl,
      pageBucket: pageBucket as IBucket,
    });

    Templates.fromStack(stack).hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } }),
        ]),
      },
    });
  });

  test('stands in front of a Web Function as well, which lets it in', () => {
    const stack = new Stack(ourApp(), 'Test');
    const web = new WebFunction(stack, 'Web', {
      code: WebFunctionCode.fromAssetToManagedBucket(join(import.meta.dirname, 'code')),
      runtime: WebFunctionRuntime.NODEJS_24_X,
      defaultEndpointAuth: WebFunctionAuthType.IAM_AUTH,
    });

    new AgentStreamDistribution(stack, 'Distribution', { host: web.endpoint });

    const template = Templates.fromStack(stack);
    expect(configOf(template).Origins[0]).toMatchObject({ OriginAccessControlId: expect.anything() });
    template.hasResourceProperties('AWS::CloudFront::OriginAccessControl', {
      OriginAccessControlConfig: Match.objectLike({
        OriginAccessControlOriginType: 'lambda',
        SigningProtocol: 'sigv4',
      }),
    });
    const [policy] = Object.values(template.findResources('AWS::Lambda::ResourcePolicy'));
    expect(JSON.stringify(policy)).toContain('lambda:InvokeWebFunctionEndpoint');
    expect(JSON.stringify(policy)).toContain('cloudfront.amazonaws.com');
  });

  test('warns that it is public where no web ACL guards it', () => {
    const warning = Match.stringLikeRegexp('the distribution is public');

    Annotations.fromStack(stackOf(BOUNDED).stack).hasWarning('/AgentStream/Distribution', warning);
    Annotations.fromStack(stackOf({ distribution: true, ...DOMAIN }).stack).hasNoWarning('*', warning);
  });
});

test.each<[string, Parameters<typeof stackOf>[0], RegExp]>([
  [
    'in front of a public URL',
    { ...BOUNDED, authType: FunctionUrlAuthType.NONE, allowedOrigins: ['*'] },
    /^distribution: expected a Function URL that requires signed requests \(auth=iam\), .*, got a public one$/,
  ],
  [
    'that nothing bounds',
    { distribution: true },
    /^distribution=on needs webAclArn or reservedConcurrency \(with host=web maxEnvironments\): /,
  ],
  [
    'whose domain has no certificate',
    { ...BOUNDED, domainName: 'app.example.com' },
    /^domainName is given without certificateArn: give both/,
  ],
  [
    'whose certificate has no domain',
    { ...BOUNDED, certificateArn: DOMAIN.certificateArn },
    /^certificateArn is given without domainName: give both/,
  ],
  [
    'with a URL as domain',
    { ...BOUNDED, ...DOMAIN, domainName: 'https://app.example.com' },
    /^domainName: expected a domain name such as app\.example\.com, got "https:/,
  ],
  [
    'with a certificate of another region',
    { ...BOUNDED, ...DOMAIN, certificateArn: DOMAIN.certificateArn.replace('us-east-1', 'eu-west-1') },
    /^certificateArn: expected the ARN of a certificate in us-east-1, .*, got "arn:aws:acm:eu-west-1/,
  ],
  [
    'with a web ACL for something else',
    { ...BOUNDED, ...DOMAIN, webAclArn: DOMAIN.webAclArn.replace('global', 'regional') },
    /^webAclArn: expected the ARN of a web ACL for CloudFront /,
  ],
  [
    'that waits no longer than the host is silent',
    { ...BOUNDED, heartbeatInterval: Duration.seconds(60) },
    /^readTimeout: expected more than heartbeatInterval \(60000 ms\), .*, got 60000 ms$/,
  ],
  [
    'that waits no longer than the host keeps its status back',
    { ...BOUNDED, commitAfter: Duration.seconds(90) },
    /^readTimeout: expected more than commitAfter \(90000 ms\)/,
  ],
  [
    'that is off, with a domain',
    { domainName: 'app.example.com' },
    /^domainName is given without distribution/,
  ],
])('a distribution %s is refused', (_what, props, message) => {
  expect(() => stackOf(props)).toThrow(message);
});
