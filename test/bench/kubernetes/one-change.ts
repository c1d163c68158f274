/** One changed manifest among few and among many; memory and idle CPU with many. */

import { setTimeout } from 'node:timers/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import type { RunningOperator } from '../running-operator.ts';
import type { Workplace } from '../workplace.ts';
import { type ColdStart, type Memory, type Restart, restart, startCold } from './cold-start.ts';
import type { SecretWatch } from './secret-watch.ts';
import { clusterFor, Site, watchOutcome } from './site.ts';

const IDLE_MS = 30_000;

export interface Changes {
  size: number;
  cold: ColdStart;
  /** Milliseconds from the moment that the commit is there and the operator told, until a watch shows the Secret. */
  times: number[];
  steady: Memory;
  /** Share of one core. */
  idle: number;
  restart: Restart;
}

/** An operator that follows a repository of its own into a cluster of its own. */
interface Running {
  site: Site;
  cluster: Cluster;
  operator: RunningOperator;
  cold: ColdStart;
  secrets: SecretWatch;
  times: number[];
}

/** The sizes take turns with their commits, so that a machine that is busy for a while is busy for all of them. */
export async function measureChanges(
  workplace: Workplace,
  sizes: readonly number[],
  rounds: number,
): Promise<Changes[]> {
  const running: Running[] = [];
  try {
    for (const size of sizes) running.push(await start(workplace, size));
    const idle = await measureIdle(running);
    for (let round = 0; round <= rounds; round++) {
      for (const each of running) {
        const time = await push(each, round);
        // The first is not counted: it finds code that has never run.
        if (round > 0) each.times.push(time);
      }
    }
    const measured: Changes[] = [];
    for (const [index, { site, cluster, operator, cold, times }] of running.entries()) {
      const steady = operator.memory();
      await operator.end();
      const again = await restart(site, cluster);
      measured.push({ size: site.size, cold, times, steady, idle: idle[index] ?? Number.NaN, restart: again });
    }
    return measured;
  } finally {
    for (const { operator, cluster, site } of running) {
      await operator.end();
      await cluster.stop();
      await site.close();
    }
  }
}

async function start(workplace: Workplace, size: number): Promise<Running> {
  const site = await Site.open(workplace, size);
  const cluster = await clusterFor(size);
  const { secrets } = watchOutcome(cluster);
  const { operator, ...cold } = await startCold(site, cluster);
  return { site, cluster, operator, cold, secrets, times: [] };
}

async function measureIdle(running: readonly Running[]): Promise<number[]> {
  const before = running.map(({ operator }) => operator.cpu());
  const began = performance.now();
  await setTimeout(IDLE_MS);
  const time = performance.now() - began;
  return running.map(({ operator }, index) => (operator.cpu() - (before[index] ?? 0)) / time);
}

async function push({ site, operator, secrets }: Running, round: number): Promise<number> {
  const key = site.change(round);
  const seen = secrets.change(key);
  const began = performance.now();
  await operator.wake();
  return (await operator.unlessEnded(seen)) - began;
}
