import { Gauge, type Registry } from 'prom-client';
import type { ExposureStatus } from '../status/status.ts';

/** How many current values somebody else may know, and whether the clone could tell of all. */
export function exposureGauges(registers: Registry[]): (exposure: readonly ExposureStatus[]) => void {
  const values = new Gauge({
    name: 'coffer_exposed_values',
    help: 'Current values that a lost key opens (live), or that were sealed anew and are not proven changed (resealed)',
    labelNames: ['source', 'state'],
    registers,
  });
  const whole = new Gauge({
    name: 'coffer_exposure_history_whole',
    help: '1 where the clone reaches back to the first commit, 0 where there may be more exposed values than it can tell of',
    labelNames: ['source'],
    registers,
  });
  return (exposure) => {
    for (const gauge of [values, whole]) gauge.reset();
    for (const { source, live, resealed, isWhole } of exposure) {
      values.set({ source, state: 'live' }, live);
      values.set({ source, state: 'resealed' }, resealed);
      whole.set({ source }, isWhole ? 1 : 0);
    }
  };
}
