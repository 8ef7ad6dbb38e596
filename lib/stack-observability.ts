import { Annotations, type Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { alarmTopics } from './alarm-topics.ts';
import type { Deployment } from './deployment.ts';
import type { ExistingConstructs } from './existing.ts';
import type { WatchedStream } from './host-watch.ts';
import { AgentStreamObservability } from './observability.ts';
import type { AgentStreamProbe } from './probe.ts';
import { isProduction } from './stage.ts';

export interface WatchOptions {
  readonly stream: WatchedStream;
  readonly deployment: Deployment;
  readonly existing: ExistingConstructs;
  readonly version: string;
  readonly probe?: AgentStreamProbe | undefined;
}

/** Creates the dashboard and the alarms of a stack as its deployment asks for them, and the topics that they notify. */
export function observe(
  stack: Stack,
  { stream, deployment, existing, version, probe }: WatchOptions,
): { observability: AgentStreamObservability; topics: ITopic[] } {
  const { alarmEmail, alarmTopicArn, runbookUrl, slowFirstChunk, slowStart, slowConnection } = deployment;
  const production = isProduction(deployment.stage);
  const encryptionKey = deployment.encryptionKey ?? existing.encryptionKey;
  const topics = alarmTopics(stack, { alarmEmail, alarmTopicArn, encryptionKey });
  const observability = new AgentStreamObservability(stack, 'Observability', {
    stream,
    alarmActions: topics.map((topic) => new SnsAction(topic)),
    notifyAll: production,
    version,
    ...(probe && { probe }),
    ...(runbookUrl !== undefined && { runbookUrl }),
    ...(slowFirstChunk !== undefined && { slowFirstChunk }),
    ...(slowStart !== undefined && { slowStart }),
    ...(slowConnection !== undefined && { slowConnection }),
  });
  if (production && topics.length === 0) {
    Annotations.of(stack).addWarningV2(
      'agentcore-stream:silentAlarms',
      'no one receives the alarms: set alarmEmail or alarmTopicArn',
    );
  }
  if (production && runbookUrl === undefined) {
    Annotations.of(stack).addWarningV2(
      'agentcore-stream:noRunbook',
      'alarms and dashboard only name docs/runbook.md: set runbookUrl to the address where on-call reads it',
    );
  }
  return { observability, topics };
}
