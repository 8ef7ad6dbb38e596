import { type DataPlaneFault, FAULTS } from '../faults/data-plane-faults.ts';

/** What goes wrong under load: at the upgrade, before the first text, and within an answer. */
const MIX: readonly (() => DataPlaneFault)[] = [
  () => FAULTS.refuse(429, 'ThrottlingException'),
  () => FAULTS.refuse(500, 'InternalServerException'),
  () => FAULTS.resetUpgrade(),
  () => FAULTS.garbageUpgrade(),
  () => FAULTS.dropAfter(0),
  () => FAULTS.dropAfter(3),
  () => FAULTS.resetAfter(3),
  () => FAULTS.closeAfter(2, 1011, 'Internal server error'),
  () => FAULTS.closeAfter(4, 1008, 'Policy violated: Max connection duration of 1 hour is exceeded'),
  () => FAULTS.blackholeAfter(2),
];

interface Faulty {
  fault(arn: string, fault: DataPlaneFault | undefined, options?: { probability: number }): void;
}

/** Puts the whole mix before a runtime, so that together they meet this share of its streams. */
export function scatterFaults(plane: Faulty, runtimeArn: string, share: number): void {
  // They are asked one after the other, each with what the ones before have let through.
  const each = 1 - (1 - share) ** (1 / MIX.length);
  for (const make of MIX) plane.fault(runtimeArn, make(), { probability: each });
}
