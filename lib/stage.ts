import { SERVICE_NAME } from '../lambda/contract.ts';

/** The stage that the function takes when STAGE is not set. */
export const DEFAULT_STAGE = 'dev';

/** Whether a stage serves real users. */
export function isProduction(stage: string | undefined): boolean {
  return /^prod(uction)?(-|$)/.test(stage ?? DEFAULT_STAGE);
}

/** The service name when none is given. It contains the stage: two stages in one account must not share metrics. */
export function serviceNameOf(stage: string | undefined): string {
  return stage === undefined || stage === DEFAULT_STAGE ? SERVICE_NAME : `${SERVICE_NAME}-${stage}`;
}
