import { Fn, RemovalPolicy, Token } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { AgentEntry } from '../lambda/agents.ts';

/** The alias that the Function URL leads to, and that a rollback moves. */
export const LIVE_ALIAS = 'live';

/**
 * Options of a function's versions. They are kept when a newer one is deployed, so that the alias can be moved back to
 * them by one command (docs/deployment.md).
 *
 * The CDK makes a new version where the template changes. An agent whose ARN the template does not know, because a
 * parameter or another resource has it, may change without that: the version's description, whose change makes
 * CloudFormation publish another one, therefore names the end of each such runtime's id, which nobody else has.
 */
export function versionOptions(agents: readonly AgentEntry[]): lambda.VersionOptions {
  const unknown = agents.flatMap(({ runtimeArn }) => (Token.isUnresolved(runtimeArn) ? [runtimeArn] : []));
  return {
    removalPolicy: RemovalPolicy.RETAIN,
    ...(unknown.length > 0 && {
      description: Fn.join(' ', unknown.slice(0, MAX_DESCRIBED).map(endOfRuntimeId)),
    }),
  };
}

/** A description has 256 characters, the end of a runtime's id 10. An environment holds no more agents than that. */
const MAX_DESCRIBED = 23;

/** `arn:…:runtime/name-a1B2c3D4e5`: neither the name nor what stands before it has a "/" or a "-" of its own. */
function endOfRuntimeId(runtimeArn: string): string {
  return Fn.select(1, Fn.split('-', Fn.select(1, Fn.split('/', runtimeArn))));
}
