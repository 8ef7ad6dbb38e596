import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A construct that answers on some host. */
interface Named extends IConstruct {
  readonly host: string;
  readonly serviceName: string;
}

/**
 * Refuses a second service of the same name in one account and region, on any host: both would share metrics and
 * alarms.
 *
 * @throws Error naming both
 */
export function refuseNamesake(named: Named): void {
  const { environment } = Stack.of(named);
  const namesake = named.node.root.node
    .findAll()
    .filter((other): other is Named => 'host' in other && 'serviceName' in other && other !== named)
    .find((other) => other.serviceName === named.serviceName && Stack.of(other).environment === environment);
  if (namesake === undefined) return;
  throw new Error(
    `serviceName: "${named.serviceName}" is already the name of ${namesake.node.path}, and both would share metrics and alarms: give ${named.node.path} another`,
  );
}
