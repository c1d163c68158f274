/** The machine that the figures come from, without names that would identify it. */

import { cpus, release, totalmem, type } from 'node:os';

export function machineDescription(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const memory = (totalmem() / 1024 ** 3).toFixed(0);
  const kernel = release().split('.').slice(0, 2).join('.');
  return `${model}, ${processors.length} cores, ${memory} GiB of memory, ${type()} ${kernel}, Node ${process.version}`;
}
