import { Duration } from 'aws-cdk-lib';
import type { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { readOrigin } from '../lambda/config.ts';
import { readHttpUrl } from '../lambda/otlp-config.ts';
import {
  checkMemorySize,
  checkOrigins,
  checkServiceName,
  checkStackStatusPrefix,
  checkStage,
  STAGE_PATTERN,
} from './checks.ts';
import { limitsOf } from './context-limits.ts';
import { arnOrParameter, retentionOf, tagsOf } from './context-resources.ts';
import { checkedText, choice, matching, numberOf, ON_OR_OFF, wholeNumber } from './context-values.ts';
import type { Deployment } from './deployment.ts';
import type { DomainProps } from './distribution-checks.ts';
import { RELEASE_STRATEGIES } from './release.ts';
import { checkRunbookUrl } from './runbook.ts';
import { LIMITS_SCHEMA, listOf, oneOf, type Schema, TEXT, TEXTS, whole } from './schema.ts';

/** A key of the CDK context and of `config/<stage>.json`. */
export interface ContextKey {
  /** The text that an editor shows for the key. */
  readonly description: string;
  /** The schema of the key's value in a file. With `-c` every value is text. */
  readonly schema: Schema;
  /** Turns the key's value into props. @throws Error naming the key */
  readonly read: (given: unknown) => Partial<Deployment>;
}

const AUTHS = { iam: 'AWS_IAM', none: 'NONE' } as const;
const SESSION_STORES = { dynamodb: 'dynamodb' } as const;
const NONE_OR_IAM = { none: 'none', iam: 'iam' } as const;
const HOSTS = { 'function-url': 'function-url', web: 'web' } as const;
/** A rate of whole minutes up to an hour. */
const PROBE_RATE = /^rate\(([1-9]|[1-5]\d|60) minutes?\)$/;
const SWITCH = oneOf(...Object.keys(ON_OR_OFF));

/** Every context key except the keys of agents. A further key is one entry here. */
export const GENERAL_KEYS: Readonly<Record<string, ContextKey>> = {
  stage: {
    description:
      'Tells deployments apart; prod and production, also with a suffix, are production. Default: dev',
    schema: { type: 'string', pattern: STAGE_PATTERN.source },
    read: (given) => ({ stage: checkedText('stage', given, checkStage) }),
  },
  serviceName: {
    description:
      'Name in logs, metrics and traces. Default: agentcore-stream, followed by -<stage> unless dev',
    schema: TEXT,
    read: (given) => ({ serviceName: checkedText('serviceName', given, checkServiceName) }),
  },
  auth: {
    description: 'Who may call: callers that sign with IAM (default), or everybody',
    schema: oneOf(...Object.keys(AUTHS)),
    read: (given) => ({ authType: choice('auth', given, AUTHS) as FunctionUrlAuthType }),
  },
  allowedOrigins: {
    description: 'Origins whose pages may call, or *. Default: none',
    schema: listOf(TEXT),
    read: (given) => ({ allowedOrigins: originsOf(given) }),
  },
  host: {
    description: 'The host: function-url (default), or web, a Lambda Web Function',
    schema: oneOf(...Object.keys(HOSTS)),
    read: (given) => ({ host: choice('host', given, HOSTS) }),
  },
  maxEnvironments: {
    description: 'The most environments of a Web Function; each streams many answers. Default: no limit',
    schema: whole(2),
    read: (given) => ({ maxEnvironments: wholeNumber('maxEnvironments', given, 2) }),
  },
  maxConcurrencyPerEnvironment: {
    description: 'The most answers that one environment of a Web Function streams at once. Default: 64',
    schema: whole(1, 128),
    read: (given) => ({
      maxConcurrencyPerEnvironment: wholeNumber('maxConcurrencyPerEnvironment', given, 1),
    }),
  },
  replicaRegions: {
    description: 'Further regions of a Web Function, under one domain. Default: none',
    schema: listOf(TEXT),
    read: (given) => ({ replicaRegions: regionsOf(given) }),
  },
  reservedConcurrency: {
    description: 'The most answers that stream at once; 0 switches the function off. Default: no limit',
    schema: whole(0),
    read: (given) => ({ reservedConcurrentExecutions: wholeNumber('reservedConcurrency', given, 0) }),
  },
  provisionedConcurrency: {
    description: 'Execution environments that are kept warm, and billed. Default: none',
    schema: whole(1),
    read: (given) => ({
      provisionedConcurrentExecutions: wholeNumber('provisionedConcurrency', given, 1),
    }),
  },
  deployment: {
    description:
      'How CodeDeploy moves traffic to a new version. Default: none, traffic moves at once without CodeDeploy',
    schema: oneOf('none', ...Object.keys(RELEASE_STRATEGIES)),
    read: (given) => {
      const deployment = choice('deployment', given, { none: undefined, ...RELEASE_STRATEGIES });
      return deployment === undefined ? {} : { deployment };
    },
  },
  formerUrl: {
    description: 'Keeps the Function URL of versions before 0.2 beside the new one. Default: off',
    schema: SWITCH,
    read: (given) => ({ formerUrl: choice('formerUrl', given, ON_OR_OFF) }),
  },
  memorySize: {
    description: 'Memory of the function in MiB. Default: 512',
    schema: whole(128, 10_240),
    read: (given) => {
      const memorySize = numberOf(given);
      checkMemorySize(memorySize);
      return { memorySize };
    },
  },
  distribution: {
    description:
      'Puts CloudFront in front of the agents, which then accept only CloudFront and IAM callers. Default: off',
    schema: SWITCH,
    read: (given) => ({ distribution: choice('distribution', given, ON_OR_OFF) }),
  },
  domainName: {
    description: 'Domain of the distribution; needs certificateArn. Default: CloudFront’s own',
    schema: TEXT,
    read: (given) => ofDomain('domainName', given),
  },
  certificateArn: {
    description: 'Certificate of the domain, in us-east-1',
    schema: TEXT,
    read: (given) => ofDomain('certificateArn', given),
  },
  webAclArn: {
    description: 'Web ACL of the distribution, in us-east-1',
    schema: TEXT,
    read: (given) => ofDomain('webAclArn', given),
  },
  pageBucketName: {
    description: 'Bucket with your own page, which the distribution serves on its domain',
    schema: TEXT,
    read: (given) => ({
      pageBucketName: matching(
        'pageBucketName',
        given,
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        'the name of an S3 bucket',
      ),
    }),
  },
  limits: {
    description: 'Limits and intervals of the function, by the names of their variables',
    schema: LIMITS_SCHEMA,
    read: limitsOf,
  },
  endpointUrl: {
    description: 'Origin that replaces AgentCore’s data plane. Default: AWS’s',
    schema: { type: 'string', format: 'uri' },
    read: (given) => ({
      endpointUrl: checkedText('endpointUrl', given, (url) => readOrigin('endpointUrl', url)),
    }),
  },
  otlpEndpoint: {
    description:
      'OpenTelemetry collector that receives a trace of each answer. Default: X-Ray receives those of a sample',
    schema: { type: 'string', format: 'uri' },
    read: (given) => ({
      otlpEndpoint: checkedText('otlpEndpoint', given, (url) => readHttpUrl('otlpEndpoint', url)),
    }),
  },
  stackStatusPrefix: {
    description:
      'Shows the status of stacks whose name begins with this prefix; * stands for all. Default: the route is off',
    schema: TEXT,
    read: (given) => ({
      stackStatusPrefix: checkedText('stackStatusPrefix', given, checkStackStatusPrefix),
    }),
  },
  sessions: {
    description: 'Keeps sessions in a DynamoDB table, which is made. Default: sessions are not kept',
    schema: oneOf(...Object.keys(SESSION_STORES)),
    read: (given) => ({ sessions: choice('sessions', given, SESSION_STORES) }),
  },
  sessionBinding: {
    description: 'Whether a session belongs to the IAM identity that began it. Default: none',
    schema: oneOf(...Object.keys(NONE_OR_IAM)),
    read: (given) => ({ sessionBinding: choice('sessionBinding', given, NONE_OR_IAM) }),
  },
  userId: {
    description: 'Whether AgentCore is told the caller’s IAM identity. Default: none',
    schema: oneOf(...Object.keys(NONE_OR_IAM)),
    read: (given) => ({ userId: choice('userId', given, NONE_OR_IAM) }),
  },
  warmSessions: {
    description:
      'Whether callers may start sessions before their first prompt. Default: on, with auth=none off',
    schema: SWITCH,
    read: (given) => ({ warmSessions: choice('warmSessions', given, ON_OR_OFF) }),
  },
  invokeAgentAction: {
    description: 'Whether the role gets bedrock-agentcore:InvokeAgent, which AWS does not know. Default: on',
    schema: SWITCH,
    read: (given) => ({ invokeAgentAction: choice('invokeAgentAction', given, ON_OR_OFF) }),
  },
  alarmEmail: {
    description: 'E-mail address that receives the alarms once it is confirmed',
    schema: { type: 'string', format: 'email' },
    read: (given) => ({
      alarmEmail: matching('alarmEmail', given, /^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'),
    }),
  },
  alarmTopicArn: {
    description: 'SNS topic of the same region that receives the alarms, or ssm:<parameter name>',
    schema: TEXT,
    read: (given) => ({ alarmTopicArn: arnOrParameter('alarmTopicArn', given, 'topic') }),
  },
  kmsKeyArn: {
    description:
      'Key that encrypts logs, alarm topic and environment, or ssm:<parameter name>. Default: AWS’s',
    schema: TEXT,
    read: (given) => ({ kmsKeyArn: arnOrParameter('kmsKeyArn', given, 'key') }),
  },
  roleArn: {
    description: 'Role that the function runs as, or ssm:<parameter name>. Default: one is made',
    schema: TEXT,
    read: (given) => ({ roleArn: arnOrParameter('roleArn', given, 'role') }),
  },
  logGroupName: {
    description: 'Log group that the function writes to. Default: one is made',
    schema: TEXT,
    read: (given) => ({
      logGroupName: matching(
        'logGroupName',
        given,
        /^[A-Za-z0-9_/.#-]{1,512}$/,
        'the name of a log group, without its ARN',
      ),
    }),
  },
  logRetentionDays: {
    description: 'How long logs are kept. Default: 14, in production 365',
    schema: whole(1),
    read: (given) => ({ logRetention: retentionOf(given) }),
  },
  terminationProtection: {
    description: 'Whether the stack is protected from deletion until this is off. Default: on in production',
    schema: SWITCH,
    read: (given) => ({
      terminationProtection: choice('terminationProtection', given, ON_OR_OFF),
    }),
  },
  tags: {
    description: 'Tags of every resource of the stack that takes them',
    schema: TEXTS,
    read: (given) => ({ tags: tagsOf(given) }),
  },
  probe: {
    description: 'How often the probe asks each agent whether it answers, rate(5 minutes). Default: no probe',
    schema: { type: 'string', pattern: PROBE_RATE.source },
    read: (given) => ({ probe: probeOf(given) }),
  },
  runbookUrl: {
    description: 'Where your team reads docs/runbook.md; alarms and dashboard then link there',
    schema: { type: 'string', format: 'uri' },
    read: (given) => ({ runbookUrl: checkedText('runbookUrl', given, checkRunbookUrl) }),
  },
  slowFirstChunkMs: {
    description: 'The alarm’s limit for the first chunk of a running session. Default: 2000',
    schema: whole(1),
    read: (given) => ({ slowFirstChunk: Duration.millis(wholeNumber('slowFirstChunkMs', given, 1)) }),
  },
  slowStartMs: {
    description:
      'The alarm’s limit for the first chunk of any request, new sessions included. Default: 10000',
    schema: whole(1),
    read: (given) => ({ slowStart: Duration.millis(wholeNumber('slowStartMs', given, 1)) }),
  },
  slowConnectionMs: {
    description: 'The alarm’s limit for opening a connection to AgentCore. Default: 5000',
    schema: whole(1),
    read: (given) => ({ slowConnection: Duration.millis(wholeNumber('slowConnectionMs', given, 1)) }),
  },
};

/** Reads a text about the distribution's domain. The construct checks its form, together with the other texts. */
function ofDomain(key: keyof DomainProps, given: unknown): DomainProps {
  return { [key]: matching(key, given, /./, 'a text') };
}

/** Reads a rate in the form of EventBridge Scheduler, such as rate(5 minutes). */
function probeOf(given: unknown): Duration {
  const rate = matching(
    'probe',
    given,
    PROBE_RATE,
    'rate(1 minute) to rate(60 minutes), such as rate(5 minutes)',
  );
  return Duration.minutes(Number(PROBE_RATE.exec(rate)?.[1]));
}

function originsOf(given: unknown): readonly string[] {
  const list = textsOf('allowedOrigins', 'origins', given);
  checkOrigins(list);
  return list;
}

function regionsOf(given: unknown): readonly string[] {
  const list = textsOf('replicaRegions', 'regions', given);
  for (const region of list) {
    matching('replicaRegions', region, /^[a-z]{2,}(-[a-z0-9]+)+-\d+$/, 'regions such as eu-west-1');
  }
  return list;
}

function textsOf(key: string, what: string, given: unknown): readonly string[] {
  const list = typeof given === 'string' ? given.split(',').map((text) => text.trim()) : given;
  if (Array.isArray(list) && list.every((text) => typeof text === 'string')) return list;
  throw new Error(
    `${key}: expected a comma-separated list or an array of ${what}, got ${JSON.stringify(given)}`,
  );
}
