/** The operator on a real API server. */

import { CLUSTER_PARTS } from '../../cluster/cluster.ts';
import { findPart } from '../../parts/parts.ts';
import { type Cost, percentile } from '../measure.ts';
import { costCells, duration, ratio, type Section, type Target, table } from '../page.ts';
import type { Peers } from '../peers.ts';
import type { Workplace } from '../workplace.ts';
import { total, type Writes } from './api-writes.ts';
import { CONCURRENCY, type ColdStarts, measureColdStarts } from './cold-start.ts';
import { type Changes, measureChanges } from './one-change.ts';
import { measurePods, type PodCosts } from './pods.ts';
import { ENTRIES } from './site.ts';

const COLD_SIZE = 2000;
const CHANGED_SIZES = [100, 10_000];
const PODS_SECRETS = 1000;

/** How often each is measured. The page says it. */
interface Rounds {
  cold: number;
  changes: number;
  pods: number;
}

const FULL: Rounds = { cold: 3, changes: 100, pods: 200 };
const BRIEF: Rounds = { cold: 1, changes: 30, pods: 60 };

const TITLE = 'Kubernetes';

/** `brief`: with fewer rounds, in about half of the time. */
export async function measureKubernetes(workplace: Workplace, peers: Peers, brief: boolean): Promise<Section> {
  for (const part of CLUSTER_PARTS) {
    if (!(await findPart(part))) return { title: TITLE, body: [`Not measured: ${part} is absent.`], targets: [] };
  }
  const rounds = brief ? BRIEF : FULL;
  const cold = await measureColdStarts(workplace, peers, COLD_SIZE, rounds.cold);
  const pods = await measurePods(workplace, PODS_SECRETS, rounds.pods);
  const changes = await measureChanges(workplace, CHANGED_SIZES, rounds.changes);
  return {
    title: TITLE,
    body: [
      ...coldBody(cold, rounds.cold),
      ...restartBody(cold, changes),
      ...changesBody(changes, rounds.changes),
      ...podsBody(pods, rounds.pods),
    ],
    targets: [...coldTargets(cold), ...restartTargets(cold, changes), ...changesTargets(changes), ...podsTargets(pods)],
  };
}

function coldBody({ size, ours, bare, controller, writes }: ColdStarts, rounds: number): string[] {
  const row = (name: string, cost: Cost | undefined, requests: string) => [
    name,
    ...costCells(cost),
    requests,
    cost ? ratio(cost.wall, ours.wall) : 'absent',
    cost ? ratio(cost.cpu, ours.cpu) : 'absent',
  ];
  return [
    `A real etcd and kube-apiserver on the same machine, new for each run; medians, number of runs: ${rounds}, of the controller 1.`,
    `### ${count(size)} manifests of ${ENTRIES} values to ${count(size)} Secrets`,
    `The operator's time is from the start of its process, clone included, until a watch shows the last Secret and the last
mirror's status. The bare loop sends requests that are already in its memory, as many of each kind as the operator sent
(${[...writes].map(([name, times]) => `${count(times)} ${name}`).join(', ')}), ${CONCURRENCY} at a time through one shared undici
Agent, without its start. The controller starts with all SealedSecrets there and no rate limit; it writes no mirrors.`,
    table(
      ['', 'CPU', 'wall', 'writes', 'wall against coffer', 'CPU against coffer'],
      [
        row('coffer-operator', ours, count(total(writes))),
        row('bare loop', bare, count(bare.writes)),
        row('sealed-secrets controller', controller, ''),
      ],
    ),
  ];
}

function coldTargets({ size, ours, bare, controller, writes }: ColdStarts): Target[] {
  const [rate, bareRate] = [total(writes) / ours.wall, bare.writes / bare.wall];
  const peers: Target[] =
    controller === undefined
      ? []
      : [
          {
            what: `${count(size)} Secrets at least 8 times faster than by the sealed-secrets controller`,
            measured: ratio(controller.wall, ours.wall),
            met: controller.wall >= 8 * ours.wall,
          },
          {
            what: `${count(size)} Secrets with at least 10 times less CPU than the sealed-secrets controller`,
            measured: ratio(controller.cpu, ours.cpu),
            met: controller.cpu >= 10 * ours.cpu,
          },
        ];
  return [
    {
      what: `${count(size)} Secrets from nothing: at least 0.85 of the rate of a bare loop of the same writes`,
      measured: `${perSecond(rate)} to ${perSecond(bareRate)}, ${ratio(rate, bareRate)}`,
      met: rate >= 0.85 * bareRate,
    },
    ...peers,
  ];
}

function restartBody(cold: ColdStarts, changes: readonly Changes[]): string[] {
  const rows = [...changes, { ...cold, cold: { cost: cold.ours, memory: cold.memory } }];
  return [
    '### Start and restart',
    'A restart is over the state and the Secrets that are there, until the operator says that it is ready. Memory is 5 s later.',
    table(
      ['manifests', 'cold: CPU', 'wall', 'memory', 'at most', 'restart: CPU', 'wall', 'memory', 'at most', 'writes'],
      rows
        .toSorted((a, b) => a.size - b.size)
        .map(({ size, cold: { cost, memory }, restart }) => [
          count(size),
          ...costCells(cost),
          ...mebibytes(memory),
          ...costCells(restart.cost),
          ...mebibytes(restart.memory),
          writesText(restart.writes),
        ]),
    ),
  ];
}

function restartTargets(cold: ColdStarts, changes: readonly Changes[]): Target[] {
  const restarts = [cold.restart, ...changes.map(({ restart }) => restart)];
  const all = restarts.map(({ writes }) => total(writes));
  return [
    {
      what: 'a restart over an unchanged state writes nothing',
      measured: `${all.join(', ')} writes`,
      met: all.every((writes) => writes === 0),
    },
  ];
}

function changesBody(changes: readonly Changes[], rounds: number): string[] {
  return [
    '### One changed manifest',
    `From the moment that the commit is in the repository and the operator is told, the fetch included, until a watch of another
client shows the Secret; ${rounds} commits each, the sizes by turns. Memory is after them; idle CPU is over 30 s without a change.`,
    table(
      ['manifests', 'median', 'p99', 'memory', 'at most', 'idle CPU'],
      changes.map(({ size, times, steady, idle }) => [
        count(size),
        duration(percentile(times, 0.5)),
        duration(percentile(times, 0.99)),
        ...mebibytes(steady),
        `${(idle * 100).toFixed(2)} %`,
      ]),
    ),
  ];
}

function changesTargets(changes: readonly Changes[]): Target[] {
  const [small, large] = [changes[0], changes.at(-1)];
  if (small === undefined || large === undefined) return [];
  const times = ([0.5, 0.99] as const).map((share): Target => {
    const [few, many] = [percentile(small.times, share), percentile(large.times, share)];
    return {
      what: `one changed manifest among ${count(large.size)}: ${share === 0.5 ? 'median' : 'p99'} from commit to Secret within 1.5 times that among ${small.size}`,
      measured: `${duration(many)} to ${duration(few)}, ${ratio(many, few)}`,
      met: many <= 1.5 * few,
    };
  });
  return [
    ...times,
    {
      what: `${count(large.size)} Secrets: memory at most 250 MiB`,
      measured: `${large.steady.now.toFixed(0)} MiB`,
      met: large.steady.now <= 250,
    },
    {
      what: `${count(large.size)} Secrets: idle CPU under 1 %`,
      measured: `${(large.idle * 100).toFixed(2)} %`,
      met: large.idle < 0.01,
    },
  ];
}

function podsBody({ secrets, none, many, reading }: PodCosts, rounds: number): string[] {
  return [
    '### Creating a pod',
    `With the admission policy for readers; medians of ${rounds} pods each, by turns.`,
    table(
      ['in a namespace with', 'time'],
      [
        ['no secret', duration(none)],
        [`${count(secrets)} secrets`, duration(many)],
        [`${count(secrets)} secrets, of which it mounts one`, duration(reading)],
      ],
    ),
  ];
}

function podsTargets({ secrets, none, many, reading }: PodCosts): Target[] {
  const slowest = Math.max(many, reading);
  return [
    {
      what: `creating a pod with ${count(secrets)} secrets in its namespace: at most 1.5 times that with none`,
      measured: `${duration(slowest)} to ${duration(none)}, ${ratio(slowest, none)}`,
      met: slowest <= 1.5 * none,
    },
  ];
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function perSecond(perMillisecond: number): string {
  return `${(perMillisecond * 1000).toFixed(0)}/s`;
}

function mebibytes({ now, peak }: { now: number; peak: number }): [string, string] {
  return [`${now.toFixed(0)} MiB`, `${peak.toFixed(0)} MiB`];
}

function writesText(writes: Writes): string {
  return total(writes) === 0 ? '0' : [...writes].map(([name, times]) => `${times} ${name}`).join(', ');
}
