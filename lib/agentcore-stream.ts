/** The exports of the npm package `agentcore-stream`. Nothing in this project imports this file. */
export type { AgentByArn, AgentByRuntime, AgentProps } from './agent-props.ts';
export { AgentStreamStack, type AgentStreamStackProps } from './agent-stream-stack.ts';
export { readContext } from './context.ts';
export type { Deployment } from './deployment.ts';
export { AgentStreamDistribution, type AgentStreamDistributionProps } from './distribution.ts';
export type { DistributionHost } from './distribution-origins.ts';
export type { LimitProps, TuningProps } from './environment.ts';
export type { AgentStreamFunctionProps } from './function-props.ts';
export { AgentStreamObservability, type AgentStreamObservabilityProps } from './observability.ts';
export { AgentStreamProbe, type AgentStreamProbeProps } from './probe.ts';
export { AgentStreamRelease, type AgentStreamReleaseProps, type ReleaseStrategy } from './release.ts';
export type { SessionProps } from './sessions.ts';
export { AgentStreamFunction } from './streaming-function.ts';
export { AgentStreamWebFunction } from './web-function.ts';
export type { AgentStreamWebFunctionProps, WebEndpointProps } from './web-function-props.ts';
export { AgentStreamWebStack, type AgentStreamWebStackProps } from './web-stack.ts';
