/** A thousand manifests at once: what a team's first day, or a rotation, costs. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, measure, medians, type Subject } from './measure.ts';
import { costCells, ratio, type Section, type Target, table } from './page.ts';
import type { Peers } from './peers.ts';
import { plaintextManifest, plaintextSecret, type Workplace } from './workplace.ts';

const MANIFESTS = 1000;
const VALUES = 10;
const ROUNDS = 3;
const LOOP_FACTOR = 10;

const COFFER = 'coffer encrypt, one process';
const SOPS_LOOP = 'sops encrypt, a process for each file';
const SOPS_BEST = 'sops encrypt, one process, one file of 1,000 documents';
const KUBESEAL_LOOP = 'kubeseal, a process for each file';
const KUBESEAL_BEST = 'kubeseal, one process, one stream of 1,000 documents';

export function measureMany(workplace: Workplace, peers: Peers): Section {
  const subjects = [cofferSubject(workplace), ...bestSubjects(workplace, peers), ...loopSubjects(workplace, peers)];
  const costs = medians(measure(subjects, ROUNDS, { warmUp: false }));
  const ours = costs.get(COFFER)?.cpu ?? Number.NaN;
  return {
    title: `${MANIFESTS.toLocaleString('en')} manifests of ${VALUES} values`,
    body: [
      `Medians of ${ROUNDS} runs. \`sops encrypt\` takes one file: its best is one file that holds all
documents under one data key, which no team would keep, and kubeseal's is one stream that has to be taken apart again.`,
      table(
        ['sealed by', 'CPU', 'wall', "CPU against coffer's"],
        [...costs].map(([name, cost]) => [name, ...costCells(cost), ratio(cost.cpu, ours)]),
      ),
    ],
    targets: targetsOf(costs),
  };
}

function cofferSubject(workplace: Workplace): Subject {
  const folder = join(workplace.repository, 'many');
  mkdirSync(folder);
  const files = names().map((name) => join(folder, `${name}.yaml`));
  return {
    name: COFFER,
    before: () => writeAll(files, plaintextManifest),
    run: workplace.coffer(['encrypt', ...files]),
  };
}

function bestSubjects(workplace: Workplace, { sops, kubeseal }: Peers): Subject[] {
  const documents = names()
    .map((name) => plaintextSecret(name, VALUES))
    .join('---\n');
  const subjects: Subject[] = [];
  if (sops !== undefined) {
    const run = sops.encrypt(join(workplace.repository, 'many-sops.yaml'));
    subjects.push({ name: SOPS_BEST, run, before: () => workplace.write('many-sops.yaml', documents) });
  }
  if (kubeseal !== undefined) {
    const input = workplace.write('many-kubeseal.yaml', documents);
    subjects.push({ name: KUBESEAL_BEST, run: kubeseal.seal(input, join(workplace.folder, 'many-sealed.yaml')) });
  }
  return subjects;
}

function loopSubjects(workplace: Workplace, { sops, kubeseal }: Peers): Subject[] {
  const subjects: Subject[] = [];
  const loop = (name: string, body: string, fixed: string[], folderName: string): Subject => {
    const folder = join(workplace.folder, folderName);
    mkdirSync(folder);
    const files = names().map((file) => join(folder, `${file}.yaml`));
    const script = `fixed=("\${@:1:${fixed.length}}"); shift ${fixed.length}; for file; do ${body} || exit; done`;
    return {
      name,
      before: () => writeAll(files, plaintextSecret),
      run: workplace.program('bash', ['-c', script, 'bash', ...fixed, ...files]),
    };
  };
  if (sops !== undefined) {
    subjects.push(loop(SOPS_LOOP, '"${fixed[@]}" "$file"', [sops.program, ...sops.encryptArguments], 'loop-sops'));
  }
  if (kubeseal !== undefined) {
    const fixed = [kubeseal.program, '--cert', kubeseal.certificate, '-o', 'yaml'];
    subjects.push(loop(KUBESEAL_LOOP, '"${fixed[@]}" < "$file" > "$file.sealed"', fixed, 'loop-kubeseal'));
  }
  return subjects;
}

function targetsOf(costs: ReadonlyMap<string, Cost>): Target[] {
  const ours = costs.get(COFFER)?.cpu ?? Number.NaN;
  const target = (name: string, what: string, factor: number): Target[] => {
    const theirs = costs.get(name)?.cpu;
    if (theirs === undefined) return [];
    return [{ what, measured: `${ratio(theirs, ours)} coffer's`, met: theirs >= factor * ours }];
  };
  const less = `at least ${LOOP_FACTOR} times less CPU than`;
  return [
    ...target(SOPS_LOOP, `1,000 manifests by one \`coffer encrypt\`: ${less} a loop of sops`, LOOP_FACTOR),
    ...target(KUBESEAL_LOOP, `1,000 manifests by one \`coffer encrypt\`: ${less} a loop of kubeseal`, LOOP_FACTOR),
  ];
}

function names(): string[] {
  return [...Array(MANIFESTS).keys()].map((index) => `many-${index}`);
}

function writeAll(files: readonly string[], plaintext: (name: string, values: number) => string): void {
  for (const [index, file] of files.entries()) writeFileSync(file, plaintext(`many-${index}`, VALUES));
}
