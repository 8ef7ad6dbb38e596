import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { labelled, matching, numberOf, parsed } from './context-values.ts';
import { isSsmReference } from './ssm-arn.ts';

/**
 * Readers of context values that are about resources of AWS. Each of them throws an Error that names the key, what was
 * expected and what came.
 */

const ARNS = {
  topic: [
    /^arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    'arn:<partition>:sns:<region>:<account>:<topic name>',
  ],
  key: [
    /^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    'arn:<partition>:kms:<region>:<account>:key/<key id>',
  ],
  role: [
    /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
    'arn:<partition>:iam::<account>:role/<role name>',
  ],
} as const;

/** An ARN of that kind, or `ssm:/name` of the parameter with it. */
export function arnOrParameter(key: string, came: unknown, kind: keyof typeof ARNS): string {
  const [pattern, expected] = ARNS[kind];
  if (typeof came === 'string' && isSsmReference(key, came)) return came;
  return matching(key, came, pattern, `${expected}, or ssm:<parameter name>`);
}

/** The periods that CloudWatch Logs knows. */
export function retentionOf(came: unknown): RetentionDays {
  const days = numberOf(came);
  const known = Object.values(RetentionDays).filter((value) => typeof value === 'number');
  if (known.includes(days)) return days;
  throw new Error(
    `logRetentionDays: expected one of ${known.join(', ')} (${RetentionDays.INFINITE}: for ever), got ${JSON.stringify(came)}`,
  );
}

/** `{"team": "platform"}` */
export function tagsOf(came: unknown): Record<string, string> {
  const expected = 'a JSON object of texts such as {"team": "platform"}';
  const tags = labelled('tags', () => parsed(came, expected));
  const isRecord = typeof tags === 'object' && tags !== null && !Array.isArray(tags);
  if (isRecord && Object.values(tags).every((value) => typeof value === 'string')) {
    return tags as Record<string, string>;
  }
  throw new Error(`tags: expected ${expected}, got ${JSON.stringify(came)}`);
}
