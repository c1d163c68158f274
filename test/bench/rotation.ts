/** A new key for a thousand manifests: what a rotation costs, beside what others do when a key is to be followed by another. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, measure, medians, type Subject } from './measure.ts';
import { costCells, ratio, type Section, type Target, table } from './page.ts';
import type { Kubeseal, Peers, Sops } from './peers.ts';
import { entryNames, plaintextManifest, plaintextSecret, secretValue, type Workplace } from './workplace.ts';

const MANIFESTS = 1000;
const VALUES = 10;
const ROUNDS = 3;
const LOOP_FACTOR = 10;

const COFFER = 'coffer recipients rotate, one process';
const COFFER_WORST = 'the same, where each value was set by itself: 10 data keys a manifest';
const SOPS_LOOP = 'sops updatekeys, a process for each file';
const SOPS_BEST = 'sops updatekeys, one process with all files as arguments';
const KUBESEAL_LOOP = 'kubeseal, sealing again, a process for each file';
const KUBESEAL_BEST = 'kubeseal, sealing again, one process, one stream of 1,000 documents';

export function measureRotation(workplace: Workplace, peers: Peers): Section {
  const subjects = [
    cofferSubject(workplace, COFFER, 'rotation', VALUES),
    cofferSubject(workplace, COFFER_WORST, 'rotation-worst', 1),
    ...(peers.sops === undefined ? [] : sopsSubjects(workplace, peers.sops)),
    ...(peers.kubeseal === undefined ? [] : kubesealSubjects(workplace, peers.kubeseal)),
  ];
  const costs = medians(measure(subjects, ROUNDS, { warmUp: false }));
  const ours = costs.get(COFFER);
  return {
    title: `A new key for ${MANIFESTS.toLocaleString('en')} manifests of ${VALUES} values`,
    body: [
      `Medians of ${ROUNDS} runs. coffer makes the key, endorses it, and replaces the stanza of each manifest; sops takes the data key
of each file from the old key to a new one (X25519, where coffer's exchange is X-Wing: ML-KEM-768 and X25519); kubeseal knows no
such step, so that all plaintext has to be at hand and is sealed to the new certificate. The values stay the same with all three, so
what the old key could read is still to be changed: \`coffer exposure\` lists it.`,
      table(
        ['for a new key', 'CPU', 'wall', "CPU against coffer's", "wall against coffer's"],
        [...costs].map(([name, cost]) => [name, ...costCells(cost), ...against(cost, ours)]),
      ),
    ],
    targets: targetsOf(costs),
  };
}

function against(cost: Cost, ours: Cost | undefined): [string, string] {
  return [ratio(cost.cpu, ours?.cpu ?? Number.NaN), ratio(cost.wall, ours?.wall ?? Number.NaN)];
}

/** A repository of its own, sealed; each run begins with it as it was. `each`: how many values one run seals. */
function cofferSubject(workplace: Workplace, name: string, folder: string, each: number): Subject {
  const sealed = join(workplace.folder, `${folder}-sealed`);
  const work = join(workplace.folder, folder);
  const keys = join(workplace.folder, `${folder}-keys`);
  const at = (args: string[], cwd: string) => ({ ...workplace.coffer([...args]), cwd });
  mkdirSync(sealed);
  workplace.run({ ...workplace.program('git', ['init', '-q', '-b', 'main']), cwd: sealed });
  workplace.run(at(['init', '--no-hook'], sealed));
  const create = ['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', `${keys}-sealed`];
  workplace.run(at(create, sealed));
  const files = names().map((file) => join(sealed, `${file}.yaml`));
  for (let count = each; count <= VALUES; count += each) {
    for (const [index, file] of files.entries()) {
      writeFileSync(file, count === each ? plaintextManifest(`many-${index}`, each) : withOneMore(file, count));
    }
    workplace.run(at(['encrypt', ...files], sealed));
  }
  workplace.run({ ...workplace.program('git', ['add', '-A']), cwd: sealed });
  const run = at(['recipients', 'rotate', 'production', '--key-dir', keys, '--no-commit'], work);
  const before = (): void => {
    for (const path of [work, keys]) {
      rmSync(path, { recursive: true, force: true });
      cpSync(path === work ? sealed : `${keys}-sealed`, path, { recursive: true });
    }
  };
  return { name, before, run };
}

/** The next entry, in plaintext, behind those that are sealed. */
function withOneMore(file: string, count: number): string {
  const entry = entryNames(count).at(-1);
  const line = `    ${entry}: "${secretValue(count - 1)}"\n`;
  return readFileSync(file, 'utf8').replace(/^ {2}keys:/m, `${line}  keys:`);
}

function sopsSubjects(workplace: Workplace, sops: Sops): Subject[] {
  const sealed = join(workplace.folder, 'rotation-sops-sealed');
  const work = join(workplace.folder, 'rotation-sops');
  mkdirSync(sealed);
  writeAll(sealed);
  for (const name of names()) workplace.run(sops.encrypt(join(sealed, `${name}.yaml`)));
  const rule = `creation_rules: [{encrypted_regex: "^(data|stringData)$", age: ${sops.newRecipient()}}]\n`;
  writeFileSync(join(sealed, '.sops.yaml'), rule);
  const files = names().map((name) => join(work, `${name}.yaml`));
  const before = (): void => {
    rmSync(work, { recursive: true, force: true });
    cpSync(sealed, work, { recursive: true });
  };
  return [
    { name: SOPS_BEST, before, run: { ...sops.updateKeys(files), cwd: work } },
    { name: SOPS_LOOP, before, run: { ...sops.updateKeysInLoop(files), cwd: work } },
  ];
}

function kubesealSubjects(workplace: Workplace, kubeseal: Kubeseal): Subject[] {
  const documents = names().map((name) => plaintextSecret(name, VALUES));
  const folder = join(workplace.folder, 'rotation-kubeseal');
  mkdirSync(folder);
  writeAll(folder);
  const input = workplace.write('rotation-kubeseal.yaml', documents.join('---\n'));
  const script = 'seal=("${@:1:5}"); shift 5; for file; do "${seal[@]}" < "$file" > "$file.sealed" || exit; done';
  const seal = [kubeseal.program, '--cert', kubeseal.certificate, '-o', 'yaml'];
  const files = names().map((name) => join(folder, `${name}.yaml`));
  return [
    { name: KUBESEAL_BEST, run: kubeseal.seal(input, join(workplace.folder, 'rotation-kubeseal-sealed.yaml')) },
    { name: KUBESEAL_LOOP, run: workplace.program('bash', ['-c', script, 'bash', ...seal, ...files]) },
  ];
}

function targetsOf(costs: ReadonlyMap<string, Cost>): Target[] {
  const ours = costs.get(COFFER);
  const target = (name: string, what: string, of: 'cpu' | 'wall', factor: number): Target[] => {
    const [theirs, own] = [costs.get(name)?.[of], ours?.[of]];
    if (theirs === undefined || own === undefined) return [];
    return [
      {
        what: `1,000 manifests for a new key: ${what}`,
        measured: `${ratio(theirs, own)} coffer's`,
        met: theirs >= factor * own,
      },
    ];
  };
  return [
    ...target(SOPS_LOOP, `at least ${LOOP_FACTOR} times less CPU than a loop of sops`, 'cpu', LOOP_FACTOR),
    ...target(SOPS_LOOP, `at least ${LOOP_FACTOR} times less wall clock than a loop of sops`, 'wall', LOOP_FACTOR),
    ...target(SOPS_BEST, 'less CPU than sops as one process', 'cpu', 1),
    ...target(KUBESEAL_BEST, 'less CPU than kubeseal that seals again, as one process', 'cpu', 1),
    ...target(KUBESEAL_LOOP, 'less CPU than a loop of kubeseal that seals again', 'cpu', 1),
  ];
}

function names(): string[] {
  return [...Array(MANIFESTS).keys()].map((index) => `many-${index}`);
}

function writeAll(folder: string): void {
  for (const name of names()) writeFileSync(join(folder, `${name}.yaml`), plaintextSecret(name, VALUES));
}
