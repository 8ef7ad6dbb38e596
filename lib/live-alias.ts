import { Fn, RemovalPolicy, Token } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { AgentEntry } from '../lambda/agents.ts';

/** The alias that the Function URL leads to, and that a rollback moves. */
export const LIVE_ALIAS = 'live';

/**
 * The options of a function's versions. Old versions are kept when a newer one is deployed, so that one command can
 * move the alias back to them (docs/deployment.md).
 *
 * The CDK makes a new version when the template changes. An ARN that a parameter or another resource holds may change
 * while the template stays the same. The version's description therefore names the end of each such runtime's id, which
 * is unique: when the description changes, CloudFormation publishes a new version.
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

/**
 * A description has 256 characters, and each id takes 11 of them. An environment has no room for more agents anyway.
 */
const MAX_DESCRIBED = 23;

/** Returns the end of the id in `arn:…:runtime/name-a1B2c3D4e5`. The ARN has one "/", and the name has no "-". */
function endOfRuntimeId(runtimeArn: string): string {
  return Fn.select(1, Fn.split('-', Fn.select(1, Fn.split('/', runtimeArn))));
}
