import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { labelled, matching, numberOf, parsed } from './context-values.ts';
import { isSsmReference } from './ssm-arn.ts';

/**
 * Readers of context values about AWS resources. Each reader throws an Error that names the key, the
 * expected value and the given one.
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

/** Reads an ARN of the given kind, or `ssm:/name` of the parameter that holds it. */
export function arnOrParameter(key: string, given: unknown, kind: keyof typeof ARNS): string {
  const [pattern, expected] = ARNS[kind];
  if (typeof given === 'string' && isSsmReference(key, given)) return given;
  return matching(key, given, pattern, `${expected}, or ssm:<parameter name>`);
}

/** Reads a retention period that CloudWatch Logs knows. */
export function retentionOf(given: unknown): RetentionDays {
  const days = numberOf(given);
  const known = Object.values(RetentionDays).filter((value) => typeof value === 'number');
  if (known.includes(days)) return days;
  throw new Error(
    `logRetentionDays: expected one of ${known.join(', ')} (${RetentionDays.INFINITE}: for ever), got ${JSON.stringify(given)}`,
  );
}

/** Reads tags such as `{"team": "platform"}`. */
export function tagsOf(given: unknown): Record<string, string> {
  const expected = 'a JSON object of texts such as {"team": "platform"}';
  const tags = labelled('tags', () => parsed(given, expected));
  const isRecord = typeof tags === 'object' && tags !== null && !Array.isArray(tags);
  if (isRecord && Object.values(tags).every((value) => typeof value === 'string')) {
    return tags as Record<string, string>;
  }
  throw new Error(`tags: expected ${expected}, got ${JSON.stringify(given)}`);
}
