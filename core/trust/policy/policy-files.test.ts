import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type FileHandle, mkdir, open, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { onDisk } from '../../../test/operator/tmpfs.ts';
import { readPolicyFiles } from './policy-files.ts';

const policy = (signers: string, more = '') =>
  `apiVersion: coffer.dev/v1\nkind: TrustPolicy\nmetadata: {name: p}\nspec: {signers: {ssh: {allowedSigners: ${signers}}}}\n${more}`;

/** A folder with files as kubelet mounts those of a ConfigMap; the policy of the first set comes through a pipe. */
async function mounted(t: TestContext, signers: { old: string; new: string }) {
  const folder = onDisk(t);
  for (const [set, name] of Object.entries(signers)) {
    await mkdir(join(folder, set));
    await writeFile(join(folder, set, name), `${set}\n`);
  }
  for (const name of new Set(['policy.yaml', signers.old, signers.new]))
    await symlink(`..data/${name}`, join(folder, name));
  await writeFile(join(folder, 'new/policy.yaml'), policy(signers.new));
  const pipe = join(folder, 'old/policy.yaml');
  const putPipe = async () => {
    execFileSync('mkfifo', [`${pipe}.new`]);
    await rename(`${pipe}.new`, pipe);
  };
  await putPipe();
  const pointTo = async (set: string) => {
    await symlink(set, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await pointTo('old');
  /** Resolves when somebody reads the policy. Whoever reads it next has another pipe: this one may still have its reader. */
  const asked = async (): Promise<FileHandle> => {
    const handle = await open(pipe, 'w');
    await putPipe();
    return handle;
  };
  return { file: join(folder, 'policy.yaml'), asked, pointTo };
}

async function answer(asked: FileHandle, text: string): Promise<void> {
  await asked.writeFile(text);
  await asked.close();
}

test('a policy and its signers are of one set, also where the set is replaced between them', async (t) => {
  for (const signers of [
    { old: 'signers', new: 'signers' },
    { old: 'former', new: 'signers' },
  ]) {
    const { file, asked, pointTo } = await mounted(t, signers);
    const reading = readPolicyFiles(file);
    const handle = await asked();
    await pointTo('new');
    await answer(handle, policy(signers.old, '# old\n'));
    const { digest, signers: read } = await reading;
    assert.equal(read.ssh?.allowedSigners.bytes.toString(), 'new\n');
    assert.equal(digest, (await readPolicyFiles(file)).digest);
  }
});

test('a policy that is another at each reading is none yet, and is read again at the next look', async (t) => {
  const { file, asked } = await mounted(t, { old: 'signers', new: 'signers' });
  const reading = assert.rejects(readPolicyFiles(file), { code: 'TRUST_POLICY_FILE', loop: 'retry', data: { file } });
  for (let times = 0; times < 4; times++) await answer(await asked(), policy('signers', `# ${times}\n`));
  await reading;
});
