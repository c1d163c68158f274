import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { Configuration } from './configuration.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

function scene(t: TestContext) {
  const directory = onDisk(t);
  const file = (name: string) => join(directory, name);
  const write = (name: string, text: string) => writeFileSync(file(name), text);
  write('settings', 'one');
  write('pins', 'p1');
  write('signers', `ada ssh-ed25519 ${'A'.repeat(68)}`);
  write(
    'policy.yaml',
    'apiVersion: coffer.dev/v1\nkind: TrustPolicy\nmetadata: {name: p}\nspec: {signers: {ssh: {allowedSigners: signers}}}\n',
  );
  const policies = new Map([['source', file('policy.yaml')]]);
  const open = (stateDirectory = directory) =>
    new Configuration({ settings: file('settings'), pins: file('pins'), policies }, { cluster: 'c', stateDirectory });
  const records: AnyRecord[] = [];
  const append = async (more: readonly AnyRecord[]) => void records.push(...more);
  const said = () => records.splice(0).map(({ aspect, from, to }) => ({ aspect, from, to }));
  return { write, file, open, append, said };
}

test('what it goes by is recorded when it is another, also over a restart, and not else', async (t) => {
  const { write, open, append, said } = scene(t);
  await open().look(append, 'first');
  const first = said();
  assert.deepEqual(first.slice(0, 2), [
    { aspect: 'settings', from: undefined, to: digest('one') },
    { aspect: 'pins', from: undefined, to: digest('p1') },
  ]);
  assert.equal(first[2]?.aspect, 'policy source');
  const configuration = open();
  await configuration.look(append, 'first');
  assert.deepEqual(said(), []);
  write('pins', 'p2');
  write('settings', 'two');
  await configuration.look(append, 'again');
  assert.deepEqual(said(), [{ aspect: 'pins', from: digest('p1'), to: digest('p2') }], 'settings count at a start');
  write('signers', `bob ssh-ed25519 ${'B'.repeat(68)}`);
  await configuration.look(append, 'again');
  assert.deepEqual(
    said().map(({ aspect, from }) => [aspect, from]),
    [['policy source', first[2]?.to]],
    'a file that the policy names is a part of it',
  );
  await open().look(append, 'first');
  assert.deepEqual(said(), [{ aspect: 'settings', from: digest('one'), to: digest('two') }]);
});

test('what cannot be read now is no other; what could not be recorded is recorded later', async (t) => {
  const { write, file, open, append, said } = scene(t);
  await open().look(append, 'first');
  said();
  rmSync(file('pins'));
  write('policy.yaml', 'kind: nothing');
  const configuration = open();
  await configuration.look(append, 'again');
  assert.deepEqual(said(), []);
  write('pins', 'p2');
  const full = () => Promise.reject(new CofferError('AUDIT_FULL', 'full', { advice: 'Make room.' }));
  await assert.rejects(configuration.look(full, 'again'), { code: 'AUDIT_FULL' });
  await configuration.look(append, 'again');
  assert.deepEqual(
    said().map(({ aspect, from, to }) => [aspect, from, to]),
    [['pins', digest('p1'), digest('p2')]],
  );
});

test('where the state directory cannot be written it is recorded once, and remembered when it can be', async (t) => {
  const { write, file, open, append, said } = scene(t);
  const state = file('state');
  const configuration = open(state);
  for (const first of ['first', 'again', 'again'] as const) {
    await assert.rejects(configuration.look(append, first), { code: 'FILE_SYSTEM' });
  }
  assert.equal(said().length, 3);
  mkdirSync(state);
  await configuration.look(append, 'again');
  await open(state).look(append, 'first');
  assert.deepEqual(said(), []);
  write('pins', 'p2');
  await configuration.look(append, 'again');
  assert.equal(said().length, 1);
});
