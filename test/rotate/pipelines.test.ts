/** The pipelines of docs/rotation.md as they stand there: each run is a fresh clone of main. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import type { Desk } from '../cli/desk.ts';
import { deskForEach, keysIn, makeSecrets } from '../cli/desk-for-each.ts';
import { proposedRotation } from '../cli/proposed-rotation.ts';
import { readPages } from '../docs/pages.ts';

/** The script of the one pipeline that runs a command. */
function scriptWith(command: string): string {
  const page = readPages().find(({ file }) => file === 'docs/rotation.md');
  const [block] = page?.blocks.filter(({ language, text }) => language === 'yaml' && text.includes(command)) ?? [];
  const { steps } = load(block?.text ?? '') as { steps: { run: string }[] };
  return steps.map(({ run }) => run).join('\n');
}

let desk: Desk;
deskForEach(
  (begun) => {
    begun.coffer(['recipients', 'create', 'production', '--type', 'cluster', ...keysIn(begun, 'production')]);
    makeSecrets(begun, ['db'], ['production']);
    begun.coffer(['new', 'payments/web', '--reader', 'api', '-o', 'apps/web.yaml', '--recipient', 'production']);
    begun.edit('apps/web.yaml', /$/, '  rotation: {session: {generate: {kind: hex}}}\n');
  },
  (copy) => {
    desk = copy;
  },
);

const forge = () => join(desk.home, 'forge.git');
const inForge = (...args: string[]) => desk.run('git', ['-C', forge(), ...args]).stdout.trim();
const published = () => join(desk.home, 'rewrap-production.jsonl');
const branches = () => inForge('for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n').sort();
const filesOf = (branch: string) => inForge('diff', '--name-only', `main...${branch}`).split('\n');
const push = () => desk.git('push', '--quiet', forge(), 'main');

function open(): void {
  desk.run('git', ['init', '--quiet', '--bare', '--initial-branch=main', forge()]);
  push();
}

/** As a runner does it: `bash -e`, which stops at the first command that fails. */
function runs(script: string): void {
  const clone = join(desk.home, 'clone');
  rmSync(clone, { recursive: true, force: true });
  desk.run('git', ['clone', '--quiet', forge(), clone]);
  for (const [key, value] of [
    ['name', 'CI'],
    ['email', 'ci@example.com'],
  ] as const) {
    desk.run('git', ['-C', clone, 'config', `user.${key}`, value]);
  }
  writeFileSync(join(desk.home, 'pins'), desk.coffer(['recipients', 'list', '--pins']));
  const here = script.replace('--from-cluster', `--from-file ${published()}`);
  const env = { COFFER_PINS: join(desk.home, 'pins') };
  const { status, stdout, stderr } = desk.run('bash', ['-e', '-c', here], { cwd: clone, env });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

/** Into main, which somebody else has changed meanwhile. */
function merge(branch: string): void {
  desk.git('pull', '--quiet', '--no-rebase', '--no-edit', forge(), branch);
  push();
}

test('keys: the branch is made once the operator has published, stays while nothing is new, follows main, and ends with the merge', async () => {
  const [script, branch] = [scriptWith('recipients rewrap'), 'rewrap-production'];
  desk.coffer(['recipients', 'rotate', 'production', '--key-dir', join(desk.home, 'nothing')]);
  open();
  writeFileSync(published(), '');
  runs(script);
  assert.deepEqual(branches(), ['main'], 'the operator is waited for');
  await proposedRotation(desk, ['apps/db.yaml']);
  runs(script);
  const first = inForge('rev-parse', branch);
  assert.ok(filesOf(branch).includes('apps/db.yaml'));
  runs(script);
  assert.equal(inForge('rev-parse', branch), first, 'nothing is new');
  desk.write('README', 'Meanwhile');
  desk.commit('Meanwhile');
  push();
  runs(script);
  assert.equal(inForge('rev-parse', `${branch}^`), inForge('rev-parse', 'main'));
  merge(branch);
  inForge('branch', '-D', branch);
  runs(script);
  assert.deepEqual(branches(), ['main']);
});

test('values: one branch, no other values while it is open, and again once it is merged', () => {
  const [script, branch] = [scriptWith('coffer rotate --due'), 'rotation-of-values'];
  open();
  runs(script);
  const first = inForge('rev-parse', branch);
  assert.deepEqual(filesOf(branch), ['apps/web.yaml']);
  runs(script);
  assert.equal(inForge('rev-parse', branch), first);
  merge(branch);
  inForge('branch', '-D', branch);
  runs(script);
  assert.deepEqual(branches(), ['main'], 'nothing is due');
  desk.edit('apps/web.yaml', 'rotation: {', 'rotation: {other: {generate: {kind: hex}}, ');
  desk.commit('Ask for another');
  push();
  runs(script);
  assert.deepEqual(branches(), ['main', branch]);
});
