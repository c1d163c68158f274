/** The machine that the figures come from, without names that would identify it. */

import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** Over the five minutes before: above a tenth or so, others took part of what is measured. */
const loadBefore = loadavg()[1] ?? Number.NaN;

export function machineDescription(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const memory = (totalmem() / 1024 ** 3).toFixed(0);
  const kernel = release().split('.').slice(0, 2).join('.');
  return `${model}, ${processors.length} cores, ${memory} GiB of memory, ${type()} ${kernel}, Node ${process.version}; load average ${loadBefore.toFixed(1)} before the run`;
}
