/** What a source that cannot be fooled costs: transport, signatures, and the whole path in a repository with a long history. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Host, type HostOptions } from '../host.ts';
import { type Cost, medianCost } from '../measure.ts';
import { costCells, duration, ratio, type Section, type Target, table } from '../page.ts';
import type { Workplace } from '../workplace.ts';
import { measureTransport } from './transport.ts';
import { measureVerification } from './verification.ts';

const SMALL: HostOptions = { size: 10, history: 10, isSigned: true };
const LARGE: HostOptions = { size: 10_000, history: 20_000, isSigned: true };
const PUSHES = 11;
const WITHIN = 2;
/** What a commit costs in the background is over by then. */
const AFTERWARDS_MS = 5000;

/** `whole`: from the push until the file is there. */
interface Path {
  fetch: Cost;
  project: Cost;
  whole: Cost;
  /** CPU of the seconds after it, in milliseconds: exposure, checks of what is there. */
  afterwards: number;
}

export async function measureTrust(workplace: Workplace): Promise<Section> {
  const verification = await measureVerification(workplace);
  const small = await withHost(workplace, SMALL, (host) => measurePath(host));
  const [transport, large] = await withHost(workplace, LARGE, async (host) => [
    await measureTransport(workplace, host),
    await measurePath(host),
  ]);
  return {
    title: 'Trust',
    body: [...transport.body, ...verification.body, ...pathBody(small, large)],
    targets: [...transport.targets, ...verification.targets, pathTarget(small, large)],
  };
}

async function withHost<Result>(
  workplace: Workplace,
  options: HostOptions,
  use: (host: Host) => Promise<Result>,
): Promise<Result> {
  const host = await Host.open(workplace, options);
  try {
    return await use(host);
  } finally {
    await host.close();
  }
}

async function measurePath(host: Host): Promise<Path> {
  host.configure();
  const { operator } = await host.start(({ msg }) => msg === 'projected a commit');
  try {
    await operator.searched();
    const pushes: Path[] = [];
    for (let push = 0; push <= PUSHES; push++) {
      const { fetch, project } = await host.push(operator, push);
      const whole = { wall: fetch.wall + project.wall, cpu: fetch.cpu + project.cpu };
      const before = operator.cpu();
      await sleep(AFTERWARDS_MS);
      const afterwards = operator.cpu() - before;
      // The first is not counted: it finds code that has never run.
      if (push > 0) pushes.push({ fetch, project, whole, afterwards });
    }
    const median = (part: 'fetch' | 'project' | 'whole'): Cost => medianCost(pushes.map((costs) => costs[part]));
    const { cpu: afterwards } = medianCost(pushes.map((costs) => ({ wall: AFTERWARDS_MS, cpu: costs.afterwards })));
    return { fetch: median('fetch'), project: median('project'), whole: median('whole'), afterwards };
  } finally {
    await operator.end();
  }
}

function pathBody(small: Path, large: Path): string[] {
  const row = (name: string, { fetch, project, whole, afterwards }: Path) => [
    name,
    ...[fetch, project, whole].flatMap(costCells),
    duration(afterwards),
  ];
  return [
    '### From a push to the file',
    `The built operator over a source in mode \`strict\` whose policy says who may change what. Each push is one signed commit that
changes one value of one manifest; medians of ${PUSHES}. To fetch is until the commit is accepted: refs, pack, objects,
signature, and what it changes judged. Afterwards: in the background, within ${AFTERWARDS_MS / 1000} s: what is exposed now, and whether
all that was projected is still there. After its start the operator searches the whole history once, before the first of these pushes.`,
    table(
      ['', 'fetch: CPU', 'wall', 'project: CPU', 'wall', 'whole: CPU', 'wall', 'afterwards: CPU'],
      [
        row(`${SMALL.size} manifests, ${SMALL.history} commits`, small),
        row(`${LARGE.size.toLocaleString('en')} manifests, ${LARGE.history?.toLocaleString('en')} commits`, large),
      ],
    ),
  ];
}

function pathTarget(small: Path, large: Path): Target {
  return {
    what: `one changed manifest among ${LARGE.size.toLocaleString('en')} with ${LARGE.history?.toLocaleString('en')} commits: CPU from the push to the file within ${WITHIN} times that in a small repository`,
    measured: `${duration(large.whole.cpu)} to ${duration(small.whole.cpu)}, ${ratio(large.whole.cpu, small.whole.cpu)}`,
    met: large.whole.cpu <= WITHIN * small.whole.cpu,
  };
}
