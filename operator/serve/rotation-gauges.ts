import { Counter, Gauge, type Registry } from 'prom-client';
import type { RotationStatus } from '../status/status.ts';

/** Of values that turn over: what is due, under way, in trouble and done. */
export function rotationGauges(registers: Registry[]): (rotations: RotationStatus) => void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const due = gauge('coffer_rotation_due', 'Values that are to be made anew now');
  const underway = gauge('coffer_rotation_underway', 'Rotations of values that have begun and not ended');
  const failed = gauge('coffer_rotation_failed', 'What stands in the way of rotations of values now');
  const done = new Counter({ name: 'coffer_rotation_done_total', help: 'Rotations of values that ended', registers });
  let counted = 0;
  return (rotations) => {
    due.set(rotations.due);
    underway.set(rotations.underway);
    failed.set(rotations.failed);
    done.inc(rotations.done - counted);
    counted = rotations.done;
  };
}
