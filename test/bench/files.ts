/** One file, more and more values: whole processes, and what a further value costs. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, measure, type Subject } from './measure.ts';
import { costCells, duration, ratio, type Section, type Target, table } from './page.ts';
import type { Peers } from './peers.ts';
import { plaintextEjson, plaintextManifest, plaintextSecret, type Workplace } from './workplace.ts';

const MANIFEST_SIZES = [1, 100, 200];
const EJSON_SIZES = [1, 100, 200, 1000, 10_000];
const ROUNDS = 15;
const LARGE_ROUNDS = 7;

/** How one tool seals and opens a file of `size` values. Opening is of what sealing made. */
interface Contestant {
  name: string;
  seal(size: number): Subject;
  open(size: number): Subject;
}

type Costs = ReadonlyMap<string, Cost>;

export function measureFiles(workplace: Workplace, peers: Peers): Section {
  const manifests = [manifestContestant(workplace), ...manifestPeers(workplace, peers)];
  const ejsonFiles = ejsonContestants(workplace, peers);
  const manifestCosts = measureContestants(manifests, MANIFEST_SIZES);
  const ejsonCosts = measureContestants(ejsonFiles, EJSON_SIZES);
  return {
    title: 'One file of many values',
    body: [
      `Medians of ${ROUNDS} runs of the whole process (${LARGE_ROUNDS} from 1,000 values on), one recipient each: coffer
X-Wing, sops an age key, kubeseal RSA-4096, ejson X25519. kubeseal opens with \`--recovery-unseal\`.`,
      '### Manifests',
      ...tablesOf(manifests, MANIFEST_SIZES, manifestCosts),
      '### ejson files',
      ...tablesOf(ejsonFiles, EJSON_SIZES, ejsonCosts),
    ],
    targets: [...manifestTargets(manifestCosts, peers), ...ejsonTargets(ejsonCosts, peers)],
  };
}

function measureContestants(contestants: Contestant[], sizes: number[]): Costs {
  const costs = new Map<string, Cost>();
  for (const size of sizes) {
    for (const action of ['seal', 'open'] as const) {
      const subjects = contestants.map((contestant) => contestant[action](size));
      const rounds = size >= 1000 ? LARGE_ROUNDS : ROUNDS;
      for (const [name, cost] of measure(subjects, rounds)) costs.set(key(action, name, size), cost);
    }
  }
  return costs;
}

function key(action: 'seal' | 'open', name: string, size: number): string {
  return `${action} ${name} ${size}`;
}

/** CPU of one more value, in milliseconds, between the smallest and a larger file. */
function slope(costs: Costs, action: 'seal' | 'open', name: string, sizes: readonly number[]): number {
  const [small = 0, large = 0] = [sizes[0], sizes.at(-1)];
  const [low, high] = [small, large].map((size) => costs.get(key(action, name, size))?.cpu ?? Number.NaN);
  return ((high ?? Number.NaN) - (low ?? Number.NaN)) / (large - small);
}

function tablesOf(contestants: Contestant[], sizes: number[], costs: Costs): string[] {
  return (['seal', 'open'] as const).map((action) => {
    const head = [
      action,
      ...sizes.flatMap((size) => [`${size.toLocaleString('en')}: CPU`, 'wall']),
      'CPU of a further value',
    ];
    const rows = contestants.map(({ name }) => [
      name,
      ...sizes.flatMap((size) => costCells(costs.get(key(action, name, size)))),
      duration(slope(costs, action, name, sizes)),
    ]);
    return table(head, rows);
  });
}

function manifestContestant(workplace: Workplace): Contestant {
  const file = (size: number) => join(workplace.repository, `manifest-${size}.yaml`);
  return {
    name: 'coffer',
    seal: (size) => {
      const plaintext = plaintextManifest(`manifest-${size}`, size);
      return {
        name: 'coffer',
        before: () => workplace.write(`manifest-${size}.yaml`, plaintext),
        run: workplace.coffer(['encrypt', file(size)]),
      };
    },
    open: (size) => ({ name: 'coffer', run: workplace.coffer(['decrypt', file(size)]) }),
  };
}

function manifestPeers(workplace: Workplace, { sops, kubeseal }: Peers): Contestant[] {
  const contestants: Contestant[] = [];
  const inFolder = (name: string) => join(workplace.folder, name);
  if (sops !== undefined) {
    const name = (size: number) => `sops-${size}.yaml`;
    contestants.push({
      name: 'sops',
      seal: (size) => ({
        name: 'sops',
        before: () => workplace.write(name(size), plaintextSecret('bench', size)),
        run: sops.encrypt(join(workplace.repository, name(size))),
      }),
      open: (size) => ({ name: 'sops', run: sops.decrypt(join(workplace.repository, name(size))) }),
    });
  }
  if (kubeseal !== undefined) {
    contestants.push({
      name: 'kubeseal',
      seal: (size) => ({
        name: 'kubeseal',
        run: kubeseal.seal(
          workplace.write(`secret-${size}.yaml`, plaintextSecret('bench', size)),
          inFolder(`sealed-${size}.yaml`),
        ),
      }),
      open: (size) => ({ name: 'kubeseal', run: kubeseal.open(inFolder(`sealed-${size}.yaml`)) }),
    });
  }
  return contestants;
}

/** Both programs open the file that coffer sealed, so that they do the same work. */
function ejsonContestants(workplace: Workplace, { ejson }: Peers): Contestant[] {
  const publicKey = workplace.run(workplace.coffer(['ejson', 'keygen', '-w'])).trim();
  const contestant = (name: string, program: (args: string[]) => Subject['run']): Contestant => ({
    name,
    seal: (size) => {
      const original = join(workplace.folder, `${size}.ejson`);
      const file = workplace.write(`${name}-${size}.ejson`, plaintextEjson(publicKey, size));
      copyFileSync(file, original);
      return { name, run: program(['encrypt', file]), before: () => copyFileSync(original, file) };
    },
    open: (size) => ({ name, run: program(['decrypt', join(workplace.repository, `coffer ejson-${size}.ejson`)]) }),
  });
  return [
    contestant('coffer ejson', (args) => workplace.coffer(['ejson', ...args])),
    ...(ejson === undefined ? [] : [contestant('ejson', (args) => workplace.program(ejson, args))]),
  ];
}

function manifestTargets(costs: Costs, { sops, kubeseal }: Peers): Target[] {
  const of = (action: 'seal' | 'open', name: string) => slope(costs, action, name, MANIFEST_SIZES);
  const target = (action: 'seal' | 'open', peer: string, share: number, what: string): Target => {
    const [ours, theirs] = [of(action, 'coffer'), of(action, peer)];
    return {
      what: `a further value: ${what}`,
      measured: `${duration(ours)} to ${duration(theirs)}, ${ratio(ours, theirs)}`,
      met: share === 1 ? ours < theirs : ours <= share * theirs,
    };
  };
  return [
    ...(kubeseal === undefined
      ? []
      : [
          target('open', 'kubeseal', 0.1, "opening at most a tenth of kubeseal's"),
          target('seal', 'kubeseal', 1, "sealing below kubeseal's"),
        ]),
    ...(sops === undefined
      ? []
      : [
          target('open', 'sops', 0.5, "opening at most half of sops'"),
          target('seal', 'sops', 1, "sealing below sops'"),
        ]),
  ];
}

function ejsonTargets(costs: Costs, { ejson }: Peers): Target[] {
  if (ejson === undefined) return [];
  const slopes = ['coffer ejson', 'ejson'].map((name) => slope(costs, 'open', name, EJSON_SIZES));
  const [ours = Number.NaN, theirs = Number.NaN] = slopes;
  const whole = ['coffer ejson', 'ejson'].map((name) => costs.get(key('open', name, 10_000)));
  const [coffer, tool] = whole.map((cost) => cost ?? { cpu: Number.NaN, wall: Number.NaN });
  if (coffer === undefined || tool === undefined) return [];
  return [
    {
      what: "a further value of an ejson file: opening at most a tenth of ejson's",
      measured: `${duration(ours)} to ${duration(theirs)}, ${ratio(ours, theirs)}`,
      met: ours <= 0.1 * theirs,
    },
    {
      what: 'an ejson file of 10,000 values opened in at most 0.4 times the time that ejson takes, whole process',
      measured: `wall ${ratio(coffer.wall, tool.wall)}, CPU ${ratio(coffer.cpu, tool.cpu)}`,
      met: coffer.wall <= 0.4 * tool.wall && coffer.cpu <= 0.4 * tool.cpu,
    },
  ];
}
