import { SERVICE_NAME } from '../lambda/contract.ts';

/** The function's own default of STAGE. */
export const DEFAULT_STAGE = 'dev';

/** Whether a stage serves real users. */
export function isProduction(stage: string | undefined): boolean {
  return /^prod(uction)?(-|$)/.test(stage ?? DEFAULT_STAGE);
}

/** Value of the dimension `service` where nobody chose one: two stages in one account must not share their metrics. */
export function serviceNameOf(stage: string | undefined): string {
  return stage === undefined || stage === DEFAULT_STAGE ? SERVICE_NAME : `${SERVICE_NAME}-${stage}`;
}
