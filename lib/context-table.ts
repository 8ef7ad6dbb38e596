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
  /** What an editor shows of it. */
  readonly description: string;
  /** Its value in a file; with `-c` everything is text. */
  readonly schema: Schema;
  /** How its value becomes props, or an error that names the key. */
  readonly read: (came: unknown) => Partial<Deployment>;
}

const AUTHS = { iam: 'AWS_IAM', none: 'NONE' } as const;
const SESSION_STORES = { dynamodb: 'dynamodb' } as const;
const NONE_OR_IAM = { none: 'none', iam: 'iam' } as const;
const HOSTS = { 'function-url': 'function-url', web: 'web' } as const;
/** Whole minutes up to an hour. */
const PROBE_RATE = /^rate\(([1-9]|[1-5]\d|60) minutes?\)$/;
const SWITCH = oneOf(...Object.keys(ON_OR_OFF));

/** Every context key other than those of agents. A further one is an entry here. */
export const GENERAL_KEYS: Readonly<Record<string, ContextKey>> = {
  stage: {
    description:
      'Tells deployments apart; prod and production, also with a suffix, are production. Default: dev',
    schema: { type: 'string', pattern: STAGE_PATTERN.source },
    read: (came) => ({ stage: checkedText('stage', came, checkStage) }),
  },
  serviceName: {
    description: 'Name in logs, metrics and traces. Default: agentcore-stream, with -<stage> unless dev',
    schema: TEXT,
    read: (came) => ({ serviceName: checkedText('serviceName', came, checkServiceName) }),
  },
  auth: {
    description: 'Who may call: those who sign with IAM (default), or everybody',
    schema: oneOf(...Object.keys(AUTHS)),
    read: (came) => ({ authType: choice('auth', came, AUTHS) as FunctionUrlAuthType }),
  },
  allowedOrigins: {
    description: 'Origins whose pages may call, or *. Default: none',
    schema: listOf(TEXT),
    read: (came) => ({ allowedOrigins: originsOf(came) }),
  },
  host: {
    description: 'What it runs on: function-url (default), or web, a Lambda Web Function',
    schema: oneOf(...Object.keys(HOSTS)),
    read: (came) => ({ host: choice('host', came, HOSTS) }),
  },
  maxEnvironments: {
    description: 'The most environments of a Web Function; each streams many answers. Default: no limit',
    schema: whole(2),
    read: (came) => ({ maxEnvironments: wholeNumber('maxEnvironments', came, 2) }),
  },
  maxConcurrencyPerEnvironment: {
    description: 'The most answers that one environment of a Web Function streams at once. Default: 64',
    schema: whole(1, 128),
    read: (came) => ({
      maxConcurrencyPerEnvironment: wholeNumber('maxConcurrencyPerEnvironment', came, 1),
    }),
  },
  replicaRegions: {
    description: 'Further regions of a Web Function, under one domain. Default: none',
    schema: listOf(TEXT),
    read: (came) => ({ replicaRegions: regionsOf(came) }),
  },
  reservedConcurrency: {
    description: 'The most answers that stream at once; 0 switches the function off. Default: no limit',
    schema: whole(0),
    read: (came) => ({ reservedConcurrentExecutions: wholeNumber('reservedConcurrency', came, 0) }),
  },
  provisionedConcurrency: {
    description: 'Execution environments that are kept warm, and billed. Default: none',
    schema: whole(1),
    read: (came) => ({
      provisionedConcurrentExecutions: wholeNumber('provisionedConcurrency', came, 1),
    }),
  },
  deployment: {
    description:
      'How traffic goes over to a new version by CodeDeploy. Default: none, at once and without CodeDeploy',
    schema: oneOf('none', ...Object.keys(RELEASE_STRATEGIES)),
    read: (came) => {
      const deployment = choice('deployment', came, { none: undefined, ...RELEASE_STRATEGIES });
      return deployment === undefined ? {} : { deployment };
    },
  },
  formerUrl: {
    description: 'Keeps the Function URL of versions before 0.2 beside the new one. Default: off',
    schema: SWITCH,
    read: (came) => ({ formerUrl: choice('formerUrl', came, ON_OR_OFF) }),
  },
  memorySize: {
    description: 'MiB of the function. Default: 512',
    schema: whole(128, 10_240),
    read: (came) => {
      const memorySize = numberOf(came);
      checkMemorySize(memorySize);
      return { memorySize };
    },
  },
  distribution: {
    description: 'CloudFront in front of the agents, which are then closed to everybody else. Default: off',
    schema: SWITCH,
    read: (came) => ({ distribution: choice('distribution', came, ON_OR_OFF) }),
  },
  domainName: {
    description: 'Domain of the distribution; with certificateArn. Default: CloudFront’s own',
    schema: TEXT,
    read: (came) => ofDomain('domainName', came),
  },
  certificateArn: {
    description: 'Certificate of the domain, in us-east-1',
    schema: TEXT,
    read: (came) => ofDomain('certificateArn', came),
  },
  webAclArn: {
    description: 'Web ACL of the distribution, in us-east-1',
    schema: TEXT,
    read: (came) => ofDomain('webAclArn', came),
  },
  pageBucketName: {
    description: 'Bucket of your own page, on the domain of the distribution',
    schema: TEXT,
    read: (came) => ({
      pageBucketName: matching(
        'pageBucketName',
        came,
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        'the name of an S3 bucket',
      ),
    }),
  },
  limits: {
    description: 'Limits and intervals of the function, by the name of their variable',
    schema: LIMITS_SCHEMA,
    read: limitsOf,
  },
  endpointUrl: {
    description: 'Origin instead of AgentCore’s data plane. Default: AWS’s',
    schema: { type: 'string', format: 'uri' },
    read: (came) => ({
      endpointUrl: checkedText('endpointUrl', came, (url) => readOrigin('endpointUrl', url)),
    }),
  },
  otlpEndpoint: {
    description: 'Collector of OpenTelemetry that gets a trace of each answer. Default: X-Ray, of a sample',
    schema: { type: 'string', format: 'uri' },
    read: (came) => ({
      otlpEndpoint: checkedText('otlpEndpoint', came, (url) => readHttpUrl('otlpEndpoint', url)),
    }),
  },
  stackStatusPrefix: {
    description: 'Shows the status of stacks whose name begins so; * for all. Default: the route is off',
    schema: TEXT,
    read: (came) => ({
      stackStatusPrefix: checkedText('stackStatusPrefix', came, checkStackStatusPrefix),
    }),
  },
  sessions: {
    description: 'Where sessions are kept: in a DynamoDB table that is made. Default: nowhere',
    schema: oneOf(...Object.keys(SESSION_STORES)),
    read: (came) => ({ sessions: choice('sessions', came, SESSION_STORES) }),
  },
  sessionBinding: {
    description: 'Whether a session belongs to the IAM identity that began it. Default: none',
    schema: oneOf(...Object.keys(NONE_OR_IAM)),
    read: (came) => ({ sessionBinding: choice('sessionBinding', came, NONE_OR_IAM) }),
  },
  userId: {
    description: 'Whether AgentCore is told the caller’s IAM identity. Default: none',
    schema: oneOf(...Object.keys(NONE_OR_IAM)),
    read: (came) => ({ userId: choice('userId', came, NONE_OR_IAM) }),
  },
  warmSessions: {
    description:
      'Whether callers may start sessions before their first prompt. Default: on, with auth=none off',
    schema: SWITCH,
    read: (came) => ({ warmSessions: choice('warmSessions', came, ON_OR_OFF) }),
  },
  invokeAgentAction: {
    description: 'Whether the role gets bedrock-agentcore:InvokeAgent, which AWS does not know. Default: on',
    schema: SWITCH,
    read: (came) => ({ invokeAgentAction: choice('invokeAgentAction', came, ON_OR_OFF) }),
  },
  alarmEmail: {
    description: 'Gets the alarms by e-mail, after confirming',
    schema: { type: 'string', format: 'email' },
    read: (came) => ({
      alarmEmail: matching('alarmEmail', came, /^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address'),
    }),
  },
  alarmTopicArn: {
    description: 'SNS topic of the same region that gets the alarms, or ssm:<parameter name>',
    schema: TEXT,
    read: (came) => ({ alarmTopicArn: arnOrParameter('alarmTopicArn', came, 'topic') }),
  },
  kmsKeyArn: {
    description:
      'Key that encrypts logs, alarm topic and environment, or ssm:<parameter name>. Default: AWS’s',
    schema: TEXT,
    read: (came) => ({ kmsKeyArn: arnOrParameter('kmsKeyArn', came, 'key') }),
  },
  roleArn: {
    description: 'Role that the function runs as, or ssm:<parameter name>. Default: one is made',
    schema: TEXT,
    read: (came) => ({ roleArn: arnOrParameter('roleArn', came, 'role') }),
  },
  logGroupName: {
    description: 'Log group that the function writes to. Default: one is made',
    schema: TEXT,
    read: (came) => ({
      logGroupName: matching(
        'logGroupName',
        came,
        /^[A-Za-z0-9_/.#-]{1,512}$/,
        'the name of a log group, without its ARN',
      ),
    }),
  },
  logRetentionDays: {
    description: 'How long logs are kept. Default: 14, in production 365',
    schema: whole(1),
    read: (came) => ({ logRetention: retentionOf(came) }),
  },
  terminationProtection: {
    description: 'Whether the stack can only be deleted after this is off. Default: on in production',
    schema: SWITCH,
    read: (came) => ({
      terminationProtection: choice('terminationProtection', came, ON_OR_OFF),
    }),
  },
  tags: {
    description: 'Tags of every resource of the stack that takes them',
    schema: TEXTS,
    read: (came) => ({ tags: tagsOf(came) }),
  },
  probe: {
    description: 'How often each agent is asked whether it answers, rate(5 minutes). Default: only users ask',
    schema: { type: 'string', pattern: PROBE_RATE.source },
    read: (came) => ({ probe: probeOf(came) }),
  },
  runbookUrl: {
    description: 'Where your team reads docs/runbook.md; alarms and dashboard then link there',
    schema: { type: 'string', format: 'uri' },
    read: (came) => ({ runbookUrl: checkedText('runbookUrl', came, checkRunbookUrl) }),
  },
  slowFirstChunkMs: {
    description: 'The alarm’s limit for the first chunk of a running session. Default: 2000',
    schema: whole(1),
    read: (came) => ({ slowFirstChunk: Duration.millis(wholeNumber('slowFirstChunkMs', came, 1)) }),
  },
  slowStartMs: {
    description:
      'The alarm’s limit for the first chunk of any request, new sessions included. Default: 10000',
    schema: whole(1),
    read: (came) => ({ slowStart: Duration.millis(wholeNumber('slowStartMs', came, 1)) }),
  },
  slowConnectionMs: {
    description: 'The alarm’s limit for opening a connection to AgentCore. Default: 5000',
    schema: whole(1),
    read: (came) => ({ slowConnection: Duration.millis(wholeNumber('slowConnectionMs', came, 1)) }),
  },
};

/** The construct checks it, together with the rest of the domain. */
function ofDomain(key: keyof DomainProps, came: unknown): DomainProps {
  return { [key]: matching(key, came, /./, 'a text') };
}

/** As EventBridge Scheduler writes it. */
function probeOf(came: unknown): Duration {
  const rate = matching(
    'probe',
    came,
    PROBE_RATE,
    'rate(1 minute) to rate(60 minutes), such as rate(5 minutes)',
  );
  return Duration.minutes(Number(PROBE_RATE.exec(rate)?.[1]));
}

function originsOf(came: unknown): readonly string[] {
  const list = textsOf('allowedOrigins', 'origins', came);
  checkOrigins(list);
  return list;
}

function regionsOf(came: unknown): readonly string[] {
  const list = textsOf('replicaRegions', 'regions', came);
  for (const region of list) {
    matching('replicaRegions', region, /^[a-z]{2,}(-[a-z0-9]+)+-\d+$/, 'regions such as eu-west-1');
  }
  return list;
}

function textsOf(key: string, what: string, came: unknown): readonly string[] {
  const list = typeof came === 'string' ? came.split(',').map((text) => text.trim()) : came;
  if (Array.isArray(list) && list.every((text) => typeof text === 'string')) return list;
  throw new Error(
    `${key}: expected a comma-separated list or an array of ${what}, got ${JSON.stringify(came)}`,
  );
}
