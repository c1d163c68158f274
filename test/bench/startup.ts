/** What a command costs before it does anything worth a measurement. */

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure, medians, type Subject } from './measure.ts';
import { costCells, ratio, type Section, table } from './page.ts';
import type { Peers } from './peers.ts';
import { plaintextEjson, plaintextManifest, plaintextSecret, secretValue, type Workplace } from './workplace.ts';

const ROUNDS = 25;
const VERSION_LIMIT = 2.5;
const SET_LIMIT = 5;

export function measureStartup(workplace: Workplace, peers: Peers): Section {
  const subjects = [...cofferSubjects(workplace), ...peerSubjects(workplace, peers)];
  const costs = medians(measure(subjects, ROUNDS));
  const empty = costs.get('node -e 0')?.cpu ?? Number.NaN;
  const version = costs.get('coffer --version')?.cpu ?? Number.NaN;
  const set = costs.get('coffer set, one value')?.cpu ?? Number.NaN;
  return {
    title: 'Start-up',
    body: [
      `Medians of ${ROUNDS} runs of the whole process. The last column is CPU against \`node -e 0\`.`,
      table(
        ['command', 'CPU', 'wall', 'CPU against node'],
        [...costs].map(([name, cost]) => [`\`${name}\``, ...costCells(cost), ratio(cost.cpu, empty)]),
      ),
    ],
    targets: [
      {
        what: `\`coffer --version\`: CPU at most ${VERSION_LIMIT} times that of \`node -e 0\``,
        measured: ratio(version, empty),
        met: version <= VERSION_LIMIT * empty,
      },
      {
        what: `\`coffer set\` of one value: CPU at most ${SET_LIMIT} times that of \`node -e 0\``,
        measured: ratio(set, empty),
        met: set <= SET_LIMIT * empty,
      },
    ],
  };
}

function cofferSubjects(workplace: Workplace): Subject[] {
  const plaintext = workplace.write('start.yaml', plaintextManifest('start', 1));
  const value = join(workplace.folder, 'value');
  copyFileSync(plaintext, value);
  workplace.run(workplace.coffer(['encrypt', plaintext]));
  return [
    { name: 'node -e 0', run: workplace.program(process.execPath, ['-e', '0']) },
    { name: 'coffer --version', run: workplace.coffer(['--version']) },
    { name: 'coffer set, one value', run: workplace.coffer(['set', plaintext, 'ENTRY_0'], { input: value }) },
    { name: 'coffer get, one value', run: workplace.coffer(['get', plaintext, 'ENTRY_0']) },
  ];
}

function peerSubjects(workplace: Workplace, { sops, kubeseal, ejson }: Peers): Subject[] {
  const subjects: Subject[] = [];
  const sealedName = join(workplace.folder, 'start.sealed.yaml');
  const secret = workplace.write('start-secret.yaml', plaintextSecret('start', 1));
  if (sops !== undefined) {
    const file = workplace.write('start-sops.yaml', plaintextSecret('start', 1));
    workplace.run(sops.encrypt(file));
    const value = join(workplace.folder, 'value.json');
    copyFileSync(workplace.write('value.json', JSON.stringify(secretValue(1))), value);
    subjects.push(
      { name: 'sops --version', run: workplace.program(sops.program, ['--version', '--disable-version-check']) },
      { name: 'sops set, one value', run: sops.set(file, 'ENTRY_0', value) },
    );
  }
  if (kubeseal !== undefined) {
    subjects.push(
      { name: 'kubeseal --version', run: workplace.program(kubeseal.program, ['--version']) },
      { name: 'kubeseal, one value', run: kubeseal.seal(secret, sealedName) },
    );
  }
  if (ejson !== undefined) {
    const publicKey = workplace.run(workplace.program(ejson, ['keygen', '-w'])).trim();
    const file = workplace.write('start.ejson', plaintextEjson(publicKey, 1));
    const original = join(workplace.folder, 'start.ejson');
    copyFileSync(file, original);
    subjects.push(
      { name: 'ejson --version', run: workplace.program(ejson, ['--version']) },
      {
        name: 'ejson encrypt, one value',
        run: workplace.program(ejson, ['encrypt', file]),
        before: () => copyFileSync(original, file),
      },
    );
  }
  return subjects;
}
