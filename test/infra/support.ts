import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { AgentStreamStack, type AgentStreamStackProps } from '../../lib/agent-stream-stack.ts';
import type { AgentStreamFunctionProps } from '../../lib/function-props.ts';
import { AgentStreamObservability, type AgentStreamObservabilityProps } from '../../lib/observability.ts';
import type { SessionProps } from '../../lib/sessions.ts';
import { AgentStreamFunction } from '../../lib/streaming-function.ts';
import { AgentStreamWebFunction } from '../../lib/web-function.ts';
import type { AgentStreamWebFunctionProps } from '../../lib/web-function-props.ts';

export function runtimeArn(name: string, region = 'us-east-1'): string {
  return `arn:aws:bedrock-agentcore:${region}:111122223333:runtime/${name}-a1B2c3D4e5`;
}

export const AGENT = { id: 'onboarding', name: 'OnboardingAgent', runtimeArn: runtimeArn('OnboardingAgent') };
export const THREE_AGENTS = [
  AGENT,
  { id: 'provisioning', name: 'ProvisioningAgent', runtimeArn: runtimeArn('ProvisioningAgent') },
  { id: 'mwc', name: 'MWCAgent', runtimeArn: runtimeArn('MWCAgent', 'eu-west-1') },
];

/** Stands for the bundle, which takes seconds to build. */
export const code = () => lambda.Code.fromAsset(join(import.meta.dirname, 'code'));

const cdkJson = JSON.parse(readFileSync(join(import.meta.dirname, '../../cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};

// The schema rules take most of a synthesis; test/infra/synth.test.ts runs the app with them.
process.env.CDK_VALIDATION = 'false';

/** An app with this project's feature flags, as the CLI makes it. */
export function ourApp(): App {
  return new App({ context: cdkJson.context });
}

export interface Built<Subject> {
  readonly stack: Stack;
  readonly subject: Subject;
  template(): Template;
}

/** The function alone, in an otherwise empty stack. */
export function functionIn(
  props: Partial<AgentStreamFunctionProps> = {},
  stack: Stack = new Stack(ourApp(), 'Test'),
): Built<AgentStreamFunction> {
  const subject = new AgentStreamFunction(stack, 'Stream', { agents: [AGENT], code: code(), ...props });
  return { stack, subject, template: () => Template.fromStack(stack) };
}

/** The Web Function alone, in an otherwise empty stack. */
export function webFunctionIn(
  props: Partial<AgentStreamWebFunctionProps> = {},
  stack: Stack = new Stack(ourApp(), 'Test'),
): Built<AgentStreamWebFunction> {
  const webCode = lambda.WebFunctionCode.fromAssetToManagedBucket(join(import.meta.dirname, 'code'));
  const subject = new AgentStreamWebFunction(stack, 'Stream', { agents: [AGENT], code: webCode, ...props });
  return { stack, subject, template: () => Template.fromStack(stack) };
}

/** What is watched on each host, with three agents. */
const STREAMS = {
  'function-url': (props: SessionProps) =>
    functionIn({ agents: THREE_AGENTS, reservedConcurrentExecutions: 50, ...props }),
  web: (props: SessionProps) => webFunctionIn({ agents: THREE_AGENTS, ...props }),
} as const;

export type WatchedHost = keyof typeof STREAMS;
export const WATCHED_HOSTS = Object.keys(STREAMS) as WatchedHost[];

/** Dashboard and alarms of what three agents answer on. */
export function observed(
  props: Partial<AgentStreamObservabilityProps> = {},
  { host = 'function-url', ...sessions }: SessionProps & { host?: WatchedHost } = {},
): Template {
  const { stack, subject } = STREAMS[host](sessions);
  new AgentStreamObservability(stack, 'Observability', { stream: subject, ...props });
  return Template.fromStack(stack);
}

/** The whole stack. */
export function stackOf(
  props: Partial<AgentStreamStackProps> = {},
  app: App = ourApp(),
): Built<AgentStreamStack> {
  const stack = new AgentStreamStack(app, 'AgentStream', { agents: THREE_AGENTS, code: code(), ...props });
  return { stack, subject: stack, template: () => Template.fromStack(stack) };
}

/** Every policy statement of every role in a template, as it was written. */
export function statements(template: Template): Record<string, unknown>[] {
  return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    (policy) => policy.Properties.PolicyDocument.Statement as Record<string, unknown>[],
  );
}
