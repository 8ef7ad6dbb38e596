import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The packs of cdk-nag that contain these rules. Each pack has its own prefix. */
const PACKS = ['HIPAA.Security', 'NIST.800.53.R4', 'NIST.800.53.R5', 'PCI.DSS.321', 'Serverless'] as const;

/** The findings that are intended in every deployment: each rule, and why this project does not follow it. */
const REASONS = {
  CloudWatchAlarmAction:
    'a composite alarm acts for it, so that one incident is one message; a metric alarm could not be silenced by another',
  IAMNoInlinePolicy:
    'the policy belongs to this one role and goes with it; a managed policy could be attached to another principal',
  LambdaDLQ:
    'the function is invoked synchronously through its URL, so that a failed invocation is answered and leaves no event for a queue; after a failed probe, its schedule starts the next one',
  LambdaInsideVPC:
    'a function in a VPC cannot stream through its URL; it holds no data, and reaches AgentCore over TLS with IAM',
  LambdaConcurrency:
    'a release or a schedule invokes the function, one at a time; a new account has no concurrency to reserve for it',
  DynamoDBInBackupPlan: 'the rows of the table expire within hours, so that there is nothing to restore',
  DynamoDBPITREnabled: 'the rows of the table expire within hours, so that there is nothing to restore',
  SNSRedrivePolicy:
    'the subscription is an e-mail address; if an e-mail is lost, the alarm and the dashboard still show the problem',
} as const;

/** Acknowledges findings of the HIPAA, NIST, PCI and Serverless packs, each with its reason. */
export function acknowledge(scope: IConstruct, ...rules: (keyof typeof REASONS)[]): void {
  for (const rule of rules) acknowledgeIn(scope, { [rule]: REASONS[rule] });
}

/** Acknowledges findings of the same packs with other reasons, given by rule. */
export function acknowledgeIn(scope: IConstruct, reasons: Readonly<Record<string, string>>): void {
  for (const [rule, reason] of Object.entries(reasons)) {
    for (const pack of PACKS) Validations.of(scope).acknowledge({ id: `${pack}-${rule}`, reason });
  }
}

/**
 * Acknowledges a wildcard resource of a role in cdk-nag's AwsSolutions pack. The id of such a finding contains the ARN
 * in the form in which cdk-nag shows it.
 */
export function acknowledgeWildcard(scope: IConstruct, arn: string, reason: string): void {
  const shown = asShown(Stack.of(scope).resolve(arn));
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${shown}]`, reason });
}

/** Returns a value of a template as cdk-nag shows it: `arn:<AWS::Partition>:…`, `<LogGroup.Arn>`. */
function asShown(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    Ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join,
  } = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (join) return join[1].map(asShown).join(join[0]);
  return `<${Ref ?? attribute?.join('.')}>`;
}
