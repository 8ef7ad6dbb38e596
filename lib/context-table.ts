import { Duration } from 'aws-cdk-lib';
import type { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { readOrigin } from '../lambda/config.ts';
import {
  checkMemorySize,
  checkOrigins,
  checkServiceName,
  checkStackStatusPrefix,
  checkStage,
} from './checks.ts';
import { limitsOf } from './context-limits.ts';
import { checkedText, choice, matching, numberOf, ON_OR_OFF, wholeNumber } from './context-values.ts';
import type { Deployment } from './deployment.ts';
import { checkRunbookUrl } from './runbook.ts';

/** How the value of a context key becomes props, or an error that names the key. */
export type ContextReader = (came: unknown) => Partial<Deployment>;

const AUTHS = { iam: 'AWS_IAM', none: 'NONE' } as const;

/** Every context key other than those of agents. A further one is a line here. */
export const GENERAL_KEYS: Readonly<Record<string, ContextReader>> = {
  stage: (came) => ({ stage: checkedText('stage', came, checkStage) }),
  serviceName: (came) => ({ serviceName: checkedText('serviceName', came, checkServiceName) }),
  auth: (came) => ({ authType: choice('auth', came, AUTHS) as FunctionUrlAuthType }),
  allowedOrigins: (came) => ({ allowedOrigins: originsOf(came) }),
  reservedConcurrency: (came) => ({
    reservedConcurrentExecutions: wholeNumber('reservedConcurrency', came, 0),
  }),
  memorySize: (came) => {
    const memorySize = numberOf(came);
    checkMemorySize(memorySize);
    return { memorySize };
  },
  limits: limitsOf,
  endpointUrl: (came) => ({
    endpointUrl: checkedText('endpointUrl', came, (url) => readOrigin('endpointUrl', url)),
  }),
  stackStatusPrefix: (came) => ({
    stackStatusPrefix: checkedText('stackStatusPrefix', came, checkStackStatusPrefix),
  }),
  invokeAgentAction: (came) => ({ invokeAgentAction: choice('invokeAgentAction', came, ON_OR_OFF) }),
  alarmEmail: (came) => ({
    alarmEmail: matching('alarmEmail', came, /^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'),
  }),
  alarmTopicArn: (came) => ({
    alarmTopicArn: matching(
      'alarmTopicArn',
      came,
      /^arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
      'arn:<partition>:sns:<region>:<account>:<topic name>',
    ),
  }),
  runbookUrl: (came) => ({ runbookUrl: checkedText('runbookUrl', came, checkRunbookUrl) }),
  slowFirstChunkMs: (came) => ({
    slowFirstChunk: Duration.millis(wholeNumber('slowFirstChunkMs', came, 1)),
  }),
};

function originsOf(came: unknown): readonly string[] {
  const list = typeof came === 'string' ? came.split(',').map((origin) => origin.trim()) : came;
  if (!Array.isArray(list) || !list.every((origin) => typeof origin === 'string')) {
    throw new Error(
      `allowedOrigins: expected a comma-separated list or an array of origins, got ${JSON.stringify(came)}`,
    );
  }
  checkOrigins(list);
  return list;
}
