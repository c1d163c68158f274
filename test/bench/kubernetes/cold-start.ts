/** From nothing to as many Secrets, beside the least that any client could do, and beside the sealed-secrets controller. */

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster } from '../../cluster/cluster.ts';
import { tokenOf } from '../../cluster/users.ts';
import { type Cost, medianCost } from '../measure.ts';
import type { Peers } from '../peers.ts';
import type { RunningOperator } from '../running-operator.ts';
import type { Workplace } from '../workplace.ts';
import { countWrites, type Writes, writesBetween } from './api-writes.ts';
import { recordChains } from './replay.ts';
import { measureController } from './sealed-secrets.ts';
import { clusterFor, Site, watchOutcome } from './site.ts';

const run = promisify(execFile);

const BARE_LOOP = join(import.meta.dirname, 'bare-loop.ts');
/** As many requests in flight as the operator has. */
export const CONCURRENCY = 16;
/** For writes that follow the last one that is waited for, and for memory to settle. */
const SETTLE_MS = 5000;

export interface Memory {
  now: number;
  peak: number;
}

export interface Restart {
  cost: Cost;
  memory: Memory;
  writes: Writes;
}

export interface ColdStarts {
  size: number;
  ours: Cost;
  memory: Memory;
  /** Of one start. */
  writes: Writes;
  bare: Cost & { writes: number };
  controller: Cost | undefined;
  restart: Restart;
}

export async function measureColdStarts(
  workplace: Workplace,
  peers: Peers,
  size: number,
  rounds: number,
): Promise<ColdStarts> {
  const site = await Site.open(workplace, size);
  const ours: (ColdStart & { restart: Restart })[] = [];
  const bare: (Cost & { writes: number })[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const chains = join(site.folder, `chains-${round}`);
      const cluster = await clusterFor(size);
      try {
        const { operator, ...cold } = await startCold(site, cluster);
        await operator.end();
        ours.push({ ...cold, restart: await restart(site, cluster) });
        bare.push({ ...NOTHING, writes: await recordChains(cluster, cold.writes, chains) });
      } finally {
        await cluster.stop();
      }
      Object.assign(bare[round] ?? {}, await runBareLoop(size, chains));
    }
  } finally {
    await site.close();
  }
  const [first] = ours;
  if (first === undefined) throw new Error('nothing was measured');
  return {
    size,
    ours: medianCost(ours.map(({ cost }) => cost)),
    memory: first.memory,
    writes: first.writes,
    bare: { ...medianCost(bare), writes: bare[0]?.writes ?? 0 },
    controller: await measureController(workplace, peers.kubeseal, size),
    restart: { ...first.restart, cost: medianCost(ours.map(({ restart: { cost } }) => cost)) },
  };
}

const NOTHING: Cost = { wall: Number.NaN, cpu: Number.NaN };

export interface ColdStart {
  /** From the start of the process, the clone included, until the last Secret and the last status are seen. */
  cost: Cost;
  memory: Memory;
  writes: Writes;
}

export async function startCold(site: Site, cluster: Cluster): Promise<ColdStart & { operator: RunningOperator }> {
  const { secrets, statuses } = watchOutcome(cluster);
  const before = await countWrites(cluster);
  const operator = site.start(cluster, { fresh: true });
  const ended = await operator.unlessEnded(Promise.all([secrets.until(site.size), statuses.until(site.size)]));
  const cost = { wall: Math.max(...ended) - operator.began, cpu: operator.cpu() };
  await setTimeout(SETTLE_MS);
  return { operator, cost, memory: operator.memory(), writes: writesBetween(before, await countWrites(cluster)) };
}

/** Over the state and the cluster as the last run left them. */
export async function restart(site: Site, cluster: Cluster): Promise<Restart> {
  const before = await countWrites(cluster);
  const operator = site.start(cluster, { fresh: false });
  await operator.ready();
  const cost = { wall: performance.now() - operator.began, cpu: operator.cpu() };
  await setTimeout(SETTLE_MS);
  const memory = operator.memory();
  await operator.end();
  return { cost, memory, writes: writesBetween(before, await countWrites(cluster)) };
}

async function runBareLoop(size: number, chains: string): Promise<Cost> {
  const cluster = await clusterFor(size);
  try {
    const token = join(cluster.directory, 'bare-token');
    writeFileSync(token, await tokenOf(cluster.directory, 'admin'), { mode: 0o600 });
    const args = [BARE_LOOP, cluster.server, cluster.caFile, token, chains, String(CONCURRENCY)];
    return JSON.parse((await run(process.execPath, args)).stdout);
  } finally {
    await cluster.stop();
  }
}
