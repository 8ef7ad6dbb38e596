import { Token } from 'aws-cdk-lib';

/** The domain of a distribution, and the web ACL that guards it. */
export interface DomainProps {
  /**
   * The domain of page and agents, such as `app.example.com`. Its DNS record leads to the distribution.
   *
   * @default - CloudFront's own domain
   */
  readonly domainName?: string;
  /**
   * ARN of the domain's certificate, which CloudFront requires in us-east-1.
   *
   * @default - CloudFront's own certificate
   */
  readonly certificateArn?: string;
  /** ARN of a web ACL for CloudFront, `…:global/webacl/…` in us-east-1. @default - none */
  readonly webAclArn?: string;
}

/** @throws Error naming the prop, the expected value and the given one */
export function checkDomain({ domainName, certificateArn, webAclArn }: DomainProps): void {
  if ((domainName === undefined) !== (certificateArn === undefined)) {
    const [given, missing] =
      domainName === undefined ? ['certificateArn', 'domainName'] : ['domainName', 'certificateArn'];
    throw new Error(
      `${given} is given without ${missing}: give both, or neither for CloudFront's own domain`,
    );
  }
  check('domainName', domainName, DOMAIN_NAME, 'a domain name such as app.example.com');
  check(
    'certificateArn',
    certificateArn,
    CERTIFICATE_ARN,
    'the ARN of a certificate in us-east-1, where CloudFront looks for it',
  );
  check(
    'webAclArn',
    webAclArn,
    WEB_ACL_ARN,
    'the ARN of a web ACL for CloudFront (…:global/webacl/…, in us-east-1)',
  );
}

const DOMAIN_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const CERTIFICATE_ARN = /^arn:aws[a-z0-9-]*:acm:us-east-1:\d{12}:certificate\/[A-Za-z0-9-]+$/;
const WEB_ACL_ARN = /^arn:aws[a-z0-9-]*:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[A-Za-z0-9-]+$/;

function check(label: string, value: string | undefined, pattern: RegExp, expected: string): void {
  if (value === undefined || Token.isUnresolved(value) || pattern.test(value)) return;
  throw new Error(`${label}: expected ${expected}, got ${JSON.stringify(value)}`);
}
