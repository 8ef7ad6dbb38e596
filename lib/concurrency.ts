import { Annotations, Token } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { checkWholeNumber } from './checks.ts';

/**
 * The concurrent executions of an account with the default quota, and how many of them must stay unreserved.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
const ACCOUNT_DEFAULT = 1000;
const UNRESERVED = 100;

/** Warns at synthesis of what the concurrency of a function means for its account. */
export function warnOfConcurrency(
  scope: Construct,
  authType: FunctionUrlAuthType,
  reserved: number | undefined,
): void {
  if (authType === FunctionUrlAuthType.NONE) {
    Annotations.of(scope).addWarningV2(
      'agentcore-stream:publicUrl',
      `the Function URL is public: everybody who knows it can call the agents and is limited only by the reserved concurrency (${reserved}); CORS restricts browsers only. A new account may have a quota of 10 concurrent executions, of which none can be reserved: if the deployment fails with "below its minimum value", ask Service Quotas for more (Lambda, concurrent executions)`,
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
 * Checks the provisioned concurrency, which Lambda takes out of the reserved concurrency.
 *
 * @throws Error naming the expected value and the given one
 */
export function checkProvisioned(provisioned: number | undefined, reserved: number | undefined): void {
  if (provisioned === undefined) return;
  const isKnown = reserved !== undefined && !Token.isUnresolved(reserved);
  const unit = isKnown ? ` (the reserved concurrency)` : '';
  checkWholeNumber('provisionedConcurrentExecutions', provisioned, 1, isKnown ? reserved : undefined, unit);
}
