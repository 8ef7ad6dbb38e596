import { Annotations, Token } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { checkWholeNumber } from './checks.ts';

/**
 * What an account may run at once where nobody asked for more, and how much of it must stay unreserved.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
const ACCOUNT_DEFAULT = 1000;
const UNRESERVED = 100;

/** Says at synthesis what the concurrency of a function means for its account. */
export function warnOfConcurrency(
  scope: Construct,
  authType: FunctionUrlAuthType,
  reserved: number | undefined,
): void {
  if (authType === FunctionUrlAuthType.NONE) {
    Annotations.of(scope).addWarningV2(
      'agentcore-stream:publicUrl',
      `the Function URL is public: whoever knows it can call the agents and is limited only by the reserved concurrency (${reserved}); CORS restricts browsers only. A new account may have a quota of 10 concurrent executions, of which none can be reserved: if the deployment fails with "below its minimum value", ask Service Quotas for more (Lambda, concurrent executions)`,
    );
  }
  if (reserved === undefined || Token.isUnresolved(reserved) || reserved <= ACCOUNT_DEFAULT - UNRESERVED) {
    return;
  }
  Annotations.of(scope).addWarningV2(
    'agentcore-stream:reservedConcurrency',
    `reserved concurrency of ${reserved}: an account's default is ${ACCOUNT_DEFAULT} concurrent executions, of which ${UNRESERVED} stay unreserved, so that more than ${ACCOUNT_DEFAULT - UNRESERVED} needs a higher quota (Service Quotas: Lambda, concurrent executions)`,
  );
}

/**
 * Lambda reserves what is provisioned out of what is reserved.
 *
 * @throws Error naming what was expected and what came
 */
export function checkProvisioned(provisioned: number | undefined, reserved: number | undefined): void {
  if (provisioned === undefined) return;
  const isKnown = reserved !== undefined && !Token.isUnresolved(reserved);
  const unit = isKnown ? ` (what is reserved)` : '';
  checkWholeNumber('provisionedConcurrentExecutions', provisioned, 1, isKnown ? reserved : undefined, unit);
}
