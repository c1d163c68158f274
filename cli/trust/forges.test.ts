import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';
import { SigningKey, signNothing } from '../../test/cli/signing.ts';
import { judgeCommits } from './judge-commits.ts';

/** The operator's configuration in the desk's home, with a policy beside it. */
function configuration(mode: 'head' | 'strict', grants: string): string {
  writeFileSync(
    join(desk.home, 'policy.yaml'),
    `apiVersion: coffer.dev/v1
kind: TrustPolicy
metadata: {name: p}
spec: {signers: {ssh: {allowedSigners: signers}}, grants: [${grants}]}
`,
  );
  const file = join(desk.home, 'operator.yaml');
  writeFileSync(
    file,
    `apiVersion: coffer.dev/v1
kind: OperatorConfig
cluster: c
state: {directory: s}
pins: {file: p}
keys: {directory: k}
sources: [{git: {url: https://git.example, trust: {mode: ${mode}, policy: policy.yaml}}}]
projections: [{kubernetesSecrets: {namespaces: ["*"]}}]
audit: {directory: a}
`,
  );
  return file;
}

const TEAMS = '{signers: [ada], paths: [/a/], may: [values]}, {signers: [sam, bot], paths: [/b/], may: [values]}';
const FORGE_ALL = '{signers: [forge], may: [values]}';

let desk: Desk;

function as(name: string): void {
  desk.git('config', 'gpg.format', 'ssh');
  desk.git('config', 'user.signingkey', join(desk.home, `${name}-signing-key.pub`));
  desk.git('config', 'commit.gpgsign', 'true');
}

function setPassword(team: string, value: string): void {
  desk.coffer(['set', `${team}/db.yaml`, 'password'], value);
  desk.commit(`Set ${team}`);
}

const merge = (...options: string[]) => desk.git('merge', '--quiet', '--no-edit', ...options, 'pull-request');

/** What a button or a person then makes of it. */
const DONE = {
  'a merge commit by the forge': () => {
    as('forge');
    merge('--no-ff');
  },
  'a merge commit without a signature': () => {
    signNothing(desk);
    merge('--no-ff');
  },
  'a merge commit by the forge that changes more': () => {
    as('forge');
    merge('--no-ff', '--no-commit');
    setPassword('b', 'three');
  },
  'a squash by the forge': () => {
    as('forge');
    merge('--squash');
    desk.commit('Squashed');
  },
  'a rebase without signatures': () => {
    signNothing(desk);
    desk.git('checkout', '--quiet', 'pull-request');
    desk.git('rebase', '--quiet', 'main');
  },
  'a rebase on the machine of its author': () => {
    as('ada');
    desk.git('checkout', '--quiet', 'pull-request');
    desk.git('rebase', '--quiet', 'main');
  },
  'a fast-forward': () => {
    desk.git('reset', '--quiet', '--hard', 'accepted');
    merge('--ff-only');
  },
  'an edit in the browser, signed by the forge': () => {
    as('forge');
    setPassword('b', 'three');
  },
  'a merge on somebody’s machine': () => {
    as('sam');
    merge('--no-ff');
  },
  'a bot with a key and a grant of its own': () => {
    as('bot');
    setPassword('b', 'three');
  },
  'a bot beyond its grant': () => {
    as('bot');
    setPassword('a', 'three');
  },
};

/** docs/trust.md, "Merges, squashes, rebases and bots". No codes: an operator takes it. */
const TABLE: [mode: 'head' | 'strict', grants: string, done: keyof typeof DONE, codes: string[]][] = [
  ['strict', TEAMS, 'a merge commit by the forge', []],
  ['strict', TEAMS, 'a merge commit without a signature', ['TRUST_UNSIGNED']],
  ['strict', TEAMS, 'a merge commit by the forge that changes more', ['TRUST_NOT_GRANTED']],
  ['strict', TEAMS, 'a squash by the forge', ['TRUST_NOT_GRANTED']],
  ['strict', TEAMS, 'a rebase without signatures', ['TRUST_UNSIGNED']],
  ['strict', TEAMS, 'a rebase on the machine of its author', []],
  ['strict', TEAMS, 'a fast-forward', []],
  ['strict', TEAMS, 'an edit in the browser, signed by the forge', ['TRUST_NOT_GRANTED']],
  ['strict', TEAMS, 'a merge on somebody’s machine', []],
  ['strict', TEAMS, 'a bot with a key and a grant of its own', []],
  ['strict', TEAMS, 'a bot beyond its grant', ['TRUST_NOT_GRANTED']],
  ['strict', `${TEAMS}, ${FORGE_ALL}`, 'a squash by the forge', []],
  ['head', TEAMS, 'a merge commit by the forge', ['TRUST_NOT_GRANTED']],
  ['head', `${TEAMS}, ${FORGE_ALL}`, 'a merge commit by the forge', []],
  ['head', `${TEAMS}, ${FORGE_ALL}`, 'a squash by the forge', []],
  ['head', `${TEAMS}, ${FORGE_ALL}`, 'a merge commit without a signature', ['TRUST_UNSIGNED']],
  ['head', `${TEAMS}, ${FORGE_ALL}`, 'a rebase without signatures', ['TRUST_UNSIGNED']],
  ['head', TEAMS, 'a fast-forward', []],
  ['head', TEAMS, 'a merge on somebody’s machine', ['TRUST_NOT_GRANTED']],
  ['head', '{signers: [sam], may: [values]}', 'a merge on somebody’s machine', []],
];

before(() => {
  desk = new Desk();
  const keys = ['ada', 'sam', 'bot', 'forge'].map((name) => new SigningKey(desk, name));
  writeFileSync(join(desk.home, 'signers'), keys.map(({ allowed }) => allowed).join(''));
  desk.coffer(['init', '--no-hook']);
  desk.coffer(['recipients', 'create', 'c', '--type', 'cluster', '--key-dir', join(desk.home, 'keys')]);
  mkdirSync(join(desk.folder, 'a'));
  mkdirSync(join(desk.folder, 'b'));
  for (const team of ['a', 'b']) {
    desk.coffer(
      ['new', `${team}/db`, '--recipient', 'c', '--reader', 'api', '--from-env-file', '-', '-o', `${team}/db.yaml`],
      'password=one\n',
    );
  }
  desk.commit('Begin');
  desk.git('tag', 'accepted');
  // What people pushed: Ada to a branch that is to be merged, and Sam meanwhile to main.
  desk.git('checkout', '--quiet', '-b', 'pull-request');
  as('ada');
  setPassword('a', 'two');
  desk.git('tag', 'pushed');
  desk.git('checkout', '--quiet', 'main');
  as('sam');
  setPassword('b', 'two');
  for (const [index, make] of Object.values(DONE).entries()) {
    desk.git('branch', '--force', 'pull-request', 'pushed');
    desk.git('checkout', '--quiet', '-b', 'work', 'main');
    make();
    desk.git('tag', `done-${index}`);
    desk.git('checkout', '--quiet', 'main');
    desk.git('branch', '--quiet', '-D', 'work');
  }
});

after(() => desk.remove());

describe('what docs/trust.md says of forges is so:', () => {
  for (const [mode, grants, done, codes] of TABLE) {
    const granted = grants.includes('forge') ? ', its key granted values' : '';
    test(`${mode}: ${done}${granted}: ${codes.length === 0 ? 'taken' : codes.join(', ')}`, async () => {
      desk.git('checkout', '--quiet', `done-${Object.keys(DONE).indexOf(done)}`);
      const { findings } = await judgeCommits(desk.folder, configuration(mode, grants), 'accepted');
      assert.deepEqual([...new Set(findings.map(({ trust }) => trust?.code))], codes);
    });
  }
});
