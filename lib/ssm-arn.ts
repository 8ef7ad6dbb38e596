import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';

const PREFIX = 'ssm:';

/** Whether a text refers to an SSM parameter. @throws Error naming the label, when the parameter's name is not valid */
export function isSsmReference(label: string, given: string): boolean {
  if (!given.startsWith(PREFIX)) return false;
  if (/^ssm:\/?[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/.test(given)) return true;
  throw new Error(
    `${label}: expected ssm:<parameter name> such as ssm:/agents/onboarding/arn, got ${JSON.stringify(given)}`,
  );
}

/**
 * Returns an ARN as it was given. For `ssm:/name` it returns a reference to the value that the parameter (type String)
 * has when the stack is deployed.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html names of parameters
 */
export function arnOf(scope: Construct, label: string, given: string): string {
  if (!isSsmReference(label, given)) return given;
  return StringParameter.valueForStringParameter(scope, given.slice(PREFIX.length));
}
