/** A commit that changes one manifest, in repositories of growing size; a cold start; memory. */

import { ENTRIES, Host, PER_FOLDER, type Start } from './host.ts';
import { type Cost, medianCost } from './measure.ts';
import { costCells, duration, ratio, type Section, type Target, table } from './page.ts';
import type { Workplace } from './workplace.ts';

const SIZES = [10, 1000, 10_000];
const PUSHES = 11;
const WITHIN = 2;

interface Measured {
  size: number;
  fetch: Cost;
  project: Cost;
  cold: Start;
  /** A restart over the state that is there: the last good state comes back. */
  warm: Start;
  afterPushes: { now: number; peak: number };
}

export async function measureOperator(workplace: Workplace): Promise<Section> {
  const measured: Measured[] = [];
  for (const size of SIZES) measured.push(await measureSize(workplace, size));
  return {
    title: 'Operator',
    body: [
      `One operator over a repository behind \`git http-backend\`, manifests of ${ENTRIES} values in folders of ${PER_FOLDER}, one workload
that reads all of them. Medians of ${PUSHES} pushes; each changes one value with \`coffer set\`. The fetch ends when the commit is
accepted; to project is from there until the file is there and its outcome is on record.`,
      table(
        ['manifests', 'fetch: CPU', 'wall', 'project: CPU', 'wall', 'memory after the pushes'],
        measured.map(({ size, fetch, project, afterPushes }) => [
          size.toLocaleString('en'),
          ...costCells(fetch),
          ...costCells(project),
          mebibytes(afterPushes.now),
        ]),
      ),
      'From the start of the process until every file is there: cold, with nothing but its keys (the clone included), and again over the state that it left.',
      table(
        ['manifests', 'cold: CPU', 'wall', 'memory', 'at most', 'restart: CPU', 'wall', 'memory', 'at most'],
        measured.map(({ size, cold, warm }) => [
          size.toLocaleString('en'),
          ...[cold, warm].flatMap(({ cost, memory }) => [
            ...costCells(cost),
            mebibytes(memory.now),
            mebibytes(memory.peak),
          ]),
        ]),
      ),
    ],
    targets: targetsOf(measured),
  };
}

function targetsOf(measured: Measured[]): Target[] {
  const [small, large] = [measured[0], measured.at(-1)];
  if (small === undefined || large === undefined) return [];
  return (['wall', 'cpu'] as const).map((kind) => ({
    what: `one changed manifest among ${large.size.toLocaleString('en')}: ${kind === 'cpu' ? 'CPU' : 'time'} within ${WITHIN} times that among ${small.size}, the fetch apart`,
    measured: `${duration(large.project[kind])} to ${duration(small.project[kind])}, ${ratio(large.project[kind], small.project[kind])}`,
    met: large.project[kind] <= WITHIN * small.project[kind],
  }));
}

async function measureSize(workplace: Workplace, size: number): Promise<Measured> {
  const host = await Host.open(workplace, { size });
  try {
    const { operator, start: cold } = await host.start(({ msg }) => msg === 'projected a commit');
    const pushes: { fetch: Cost; project: Cost }[] = [];
    for (let push = 0; push <= PUSHES; push++) {
      const costs = await host.push(operator, push);
      // The first is not counted: it finds code that has never run.
      if (push > 0) pushes.push(costs);
    }
    const afterPushes = operator.memory();
    await operator.end();
    const { operator: again, start: warm } = await host.start(({ msg }) => msg === 'brought back the last good state');
    await again.end();
    const [fetch, project] = (['fetch', 'project'] as const).map((part) =>
      medianCost(pushes.map((costs) => costs[part])),
    );
    if (fetch === undefined || project === undefined) throw new Error('no push was measured');
    return { size, fetch, project, cold, warm, afterPushes };
  } finally {
    await host.close();
  }
}

function mebibytes(value: number): string {
  return `${value.toFixed(0)} MiB`;
}
