import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { WorkTree } from '../../test/servers/work-tree.ts';
import { recipientFiles, testCluster } from '../../test/support/secrets.ts';
import { openGitSource } from '../source/open-git-source.ts';
import { KeyringChanges } from './keyring-changes.ts';

async function scene(t: TestContext) {
  await sodiumReady();
  const root = onDisk(t);
  const stateDirectory = join(root, 'state');
  const tree = await WorkTree.init(join(root, 'repository'));
  const files = recipientFiles(testCluster('production'), testCluster('staging'));
  const source = await openGitSource({ url: tree.directory }, stateDirectory);
  t.after(() => source.close());
  const records: AnyRecord[] = [];
  const audit = { append: async (more: readonly AnyRecord[]) => void records.push(...more) };
  const open = (directory = stateDirectory, most?: number) =>
    new KeyringChanges([source], { cluster: 'production', stateDirectory: directory }, most);
  const commit = async (changed: Record<string, string | null>) => {
    const made = await tree.commit(changed);
    await source.poll(new AbortController().signal);
    return made;
  };
  const said = () =>
    records
      .splice(0)
      .map(({ change, recipient }) => `${change} ${recipient}`)
      .sort();
  return { root, source, tree, files, records, audit, open, commit, said };
}

function fileOf(files: Record<string, string>, name: string): [path: string, text: string] {
  return Object.entries(files).find(([path]) => path.includes(name)) ?? ['', ''];
}

function revoked(text: string): string {
  const other = text.replace(/status: active/, 'status: revoked');
  assert.notEqual(other, text);
  return other;
}

test('what a keyring says of keys is recorded once, with the commit that says it, also over a restart', async (t) => {
  const { source, tree, files, records, audit, open } = await scene(t);
  const [path, text] = fileOf(files, 'staging');
  let changes = open();
  const look = async (commit: Record<string, string | null>, log = audit) => {
    const made = await tree.commit(commit);
    await source.poll(new AbortController().signal);
    await changes.look(log);
    const said = records.splice(0);
    for (const record of said) assert.equal(record.commit, made);
    return said.map(({ change, recipient }) => `${change} ${recipient}`).sort();
  };
  assert.deepEqual(await look(files), ['listed production', 'listed staging']);
  assert.deepEqual(await look({ README: 'of nothing' }), []);
  changes = open();
  assert.deepEqual(await look({ README: 'of nothing else' }), []);
  const full = { append: () => Promise.reject(new CofferError('AUDIT_FULL', 'full', { advice: 'Make room.' })) };
  await assert.rejects(look({ [path]: revoked(text) }, full), { code: 'AUDIT_FULL' });
  assert.deepEqual(await look({ README: 'again' }), ['revoked staging'], 'it waited');
  assert.deepEqual(await look({ [path]: 'no: recipient' }), [], 'a file that cannot be read says nothing');
  assert.deepEqual(await look({ [path]: null }), ['unlisted staging']);
});

test('where the state directory cannot be written it is recorded once, and remembered when it can be', async (t) => {
  const { root, files, audit, open, commit, said } = await scene(t);
  await commit(files);
  const state = join(root, 'other');
  const changes = open(state);
  for (let look = 0; look < 3; look++) await assert.rejects(changes.look(audit), { code: 'FILE_SYSTEM' });
  assert.deepEqual(said(), ['listed production', 'listed staging']);
  mkdirSync(state);
  await changes.look(audit);
  await open(state).look(audit);
  assert.deepEqual(said(), []);
});

test('a file that cannot be read hides nothing of the others', async (t) => {
  const { files, audit, open, commit, said } = await scene(t);
  const [[production, text], [staging]] = [fileOf(files, 'production'), fileOf(files, 'staging')];
  const changes = open();
  await commit(files);
  await changes.look(audit);
  said();
  await commit({ [staging]: 'no: recipient', [production]: revoked(text) });
  await changes.look(audit);
  assert.deepEqual(said(), ['revoked production']);
});

test('a keyring with more keys than are followed is said to be, and hides nothing of those that are', async (t) => {
  const { files, audit, open, commit, said } = await scene(t);
  const [production, text] = fileOf(files, 'production');
  const changes = open(undefined, 2);
  await commit(files);
  await changes.look(audit);
  said();
  assert.deepEqual(changes.troubles(), []);
  const first = recipientFiles(testCluster('alpha'));
  await commit({ ...first, [production]: revoked(text) });
  await changes.look(audit);
  assert.deepEqual(said(), ['revoked production']);
  assert.deepEqual(
    changes.troubles().map(({ code }) => code),
    ['AUDIT_KEYS_CUT'],
  );
  await commit({ [production]: null });
  await changes.look(audit);
  assert.deepEqual(said(), ['listed alpha', 'unlisted production']);
  assert.deepEqual(changes.troubles(), []);
});
