/** A runtime that the emulated data plane knows, and the container behind it. */
export interface LocalRuntime {
  runtimeArn: string;
  /** @default ['DEFAULT'] */
  qualifiers?: string[];
  /** The agent's container, `http://127.0.0.1:8080`: it serves /ws and /invocations. */
  target: string;
  /**
   * Makes the container forget a session, as the end of its microVM does. One container serves every session here, so
   * that it must be told.
   *
   * @default nothing is told
   */
  endSession?: (sessionId: string) => Promise<void>;
}

/** Which runtime a request names: by its ARN, or by its id and the account. */
export interface RuntimeName {
  /** As it stands in the path, decoded. */
  arnOrId: string;
  /** Of the query, for an id. */
  accountId: string | undefined;
  /** Name of its endpoint. */
  qualifier: string;
}

/** The runtime of this name that has this endpoint: the endpoints of one may be served by different containers. */
export function findRuntime(
  runtimes: readonly LocalRuntime[],
  { arnOrId, accountId, qualifier }: RuntimeName,
): LocalRuntime | undefined {
  const isMeant = (runtimeArn: string) =>
    isArn(arnOrId)
      ? runtimeArn === arnOrId
      : runtimeArn.endsWith(`/${arnOrId}`) && partOf(runtimeArn, 4) === accountId;
  return runtimes.find(
    ({ runtimeArn, qualifiers = ['DEFAULT'] }) => isMeant(runtimeArn) && qualifiers.includes(qualifier),
  );
}

/** The region in which a request to this runtime must be signed: that of the ARN; for an id, that of the data plane. */
export function regionOf(runtimes: readonly LocalRuntime[], { arnOrId }: RuntimeName): string {
  const arn = isArn(arnOrId)
    ? arnOrId
    : (runtimes.find(({ runtimeArn }) => runtimeArn.endsWith(`/${arnOrId}`)) ?? runtimes[0])?.runtimeArn;
  return partOf(arn ?? '', 3) ?? 'us-east-1';
}

export function isArn(arnOrId: string): boolean {
  return arnOrId.startsWith('arn:');
}

function partOf(arn: string, index: number): string | undefined {
  return arn.split(':')[index];
}
