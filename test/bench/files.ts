/** One file, more and more values: whole processes, and what a further value costs. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, measure, median, medians, type Rounds, type Subject } from './measure.ts';
import { costCells, duration, ratio, type Section, type Target, table } from './page.ts';
import type { Peers } from './peers.ts';
import { plaintextEjson, plaintextManifest, plaintextSecret, type Workplace } from './workplace.ts';

const MANIFEST_SIZES = [1, 100, 200];
const EJSON_SIZES = [1, 100, 200, 1000, 10_000];
const ROUNDS = 15;

/** How one tool seals and opens a file of `size` values. Opening is of what sealing made. */
interface Contestant {
  name: string;
  seal(size: number): Omit<Subject, 'name'>;
  open(size: number): Omit<Subject, 'name'>;
}

type Action = 'seal' | 'open';

export function measureFiles(workplace: Workplace, peers: Peers): Section {
  const manifests = [manifestContestant(workplace), ...manifestPeers(workplace, peers)];
  const ejsonFiles = ejsonContestants(workplace, peers);
  const manifestCosts = measureContestants(manifests, MANIFEST_SIZES);
  const ejsonCosts = measureContestants(ejsonFiles, EJSON_SIZES);
  return {
    title: 'One file of many values',
    body: [
      `Medians of ${ROUNDS} runs of the whole process, one recipient each: coffer X-Wing, sops an age key, kubeseal RSA-4096,
ejson X25519. kubeseal opens with \`--recovery-unseal\`. The CPU of a further value is the median, over the runs, of the
difference between the largest and the smallest file.`,
      '### Manifests',
      ...tablesOf(manifests, MANIFEST_SIZES, manifestCosts),
      '### ejson files',
      ...tablesOf(ejsonFiles, EJSON_SIZES, ejsonCosts),
    ],
    targets: [...manifestTargets(manifestCosts, peers), ...ejsonTargets(ejsonCosts, peers)],
  };
}

function measureContestants(contestants: Contestant[], sizes: number[]): Rounds {
  const rounds = new Map<string, readonly Cost[]>();
  for (const action of ['seal', 'open'] as const) {
    const subjects = sizes.flatMap((size) =>
      contestants.map((contestant) => ({ ...contestant[action](size), name: runName(action, contestant.name, size) })),
    );
    for (const [name, costs] of measure(subjects, ROUNDS)) rounds.set(name, costs);
  }
  return rounds;
}

function runName(action: Action, name: string, size: number): string {
  return `${action} ${name} ${size}`;
}

/** CPU of one more value, in milliseconds. */
function slope(rounds: Rounds, action: Action, name: string, sizes: readonly number[]): number {
  const [small = 0, large = 0] = [sizes[0], sizes.at(-1)];
  const [low = [], high = []] = [small, large].map((size) => rounds.get(runName(action, name, size)));
  return median(high.map(({ cpu }, round) => cpu - (low[round]?.cpu ?? Number.NaN))) / (large - small);
}

function tablesOf(contestants: Contestant[], sizes: number[], rounds: Rounds): string[] {
  const costs = medians(rounds);
  return (['seal', 'open'] as const).map((action) => {
    const head = [
      action,
      ...sizes.flatMap((size) => [`${size.toLocaleString('en')}: CPU`, 'wall']),
      'CPU of a further value',
    ];
    const rows = contestants.map(({ name }) => [
      name,
      ...sizes.flatMap((size) => costCells(costs.get(runName(action, name, size)))),
      duration(slope(rounds, action, name, sizes)),
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
        before: () => workplace.write(`manifest-${size}.yaml`, plaintext),
        run: workplace.coffer(['encrypt', file(size)]),
      };
    },
    open: (size) => ({ run: workplace.coffer(['decrypt', file(size)]) }),
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
        before: () => workplace.write(name(size), plaintextSecret('bench', size)),
        run: sops.encrypt(join(workplace.repository, name(size))),
      }),
      open: (size) => ({ run: sops.decrypt(join(workplace.repository, name(size))) }),
    });
  }
  if (kubeseal !== undefined) {
    contestants.push({
      name: 'kubeseal',
      seal: (size) => ({
        run: kubeseal.seal(
          workplace.write(`secret-${size}.yaml`, plaintextSecret('bench', size)),
          inFolder(`sealed-${size}.yaml`),
        ),
      }),
      open: (size) => ({ run: kubeseal.open(inFolder(`sealed-${size}.yaml`)) }),
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
      return { run: program(['encrypt', file]), before: () => copyFileSync(original, file) };
    },
    open: (size) => ({ run: program(['decrypt', join(workplace.repository, `coffer ejson-${size}.ejson`)]) }),
  });
  return [
    contestant('coffer ejson', (args) => workplace.coffer(['ejson', ...args])),
    ...(ejson === undefined ? [] : [contestant('ejson', (args) => workplace.program(ejson, args))]),
  ];
}

function manifestTargets(rounds: Rounds, { sops, kubeseal }: Peers): Target[] {
  const of = (action: Action, name: string) => slope(rounds, action, name, MANIFEST_SIZES);
  const target = (action: Action, peer: string, share: number, what: string): Target => {
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

function ejsonTargets(rounds: Rounds, { ejson }: Peers): Target[] {
  if (ejson === undefined) return [];
  const slopes = ['coffer ejson', 'ejson'].map((name) => slope(rounds, 'open', name, EJSON_SIZES));
  const [ours = Number.NaN, theirs = Number.NaN] = slopes;
  const costs = medians(rounds);
  const whole = ['coffer ejson', 'ejson'].map((name) => costs.get(runName('open', name, 10_000)));
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
