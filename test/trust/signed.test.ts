import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { openRepository } from '../../core/git/repository.ts';
import { type JudgeInput, judge } from '../../core/trust/judge.ts';
import { readPolicy } from '../../core/trust/policy/policy.ts';
import { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import type { Verdict } from '../../core/trust/verdict.ts';
import { SigningTree } from '../signatures/signing-tree.ts';
import { manifest, sealed } from './manifests.ts';

/** A team as it works: git itself commits, merges and tags, ssh-keygen signs, and the policy is read from its files. */
let team: SigningTree;
let accepted: string;

const POLICY = `apiVersion: coffer.dev/v1
kind: TrustPolicy
metadata: {name: secrets}
spec:
  signers:
    ssh: {allowedSigners: allowed_signers, revoked: revoked}
  grants:
    - {signers: ["*@security.example"], may: [readers, recipients, namespaces, type, template, rotation, deletionPolicy, removal, values, keyring, rules, endorse]}
    - {signers: [val@payments.example], paths: ["/payments/**"], may: [values]}
  namespaces:
    - {path: "/payments/**", namespaces: [payments]}
    - {path: "/shop/**", namespaces: ["shop*"]}
`;

before(async () => {
  team = await SigningTree.create();
  const keys = {
    sam: 'sam@security.example',
    val: 'val@payments.example',
    bot: 'bot@ci.example',
    thief: 'thief@example',
  };
  const lines = [];
  for (const [name, principal] of Object.entries(keys))
    lines.push(`${principal} namespaces="git" ${await team.sshKey(name)}`);
  await writeFile(team.file('allowed_signers'), `${lines.join('\n')}\n`);
  await writeFile(team.file('revoked'), (lines.at(-1) ?? '').split(' ').slice(2).join(' '));
  await writeFile(team.file('policy.yaml'), POLICY);
  await team.sshKey('stranger');
  accepted = await commit('sam', { 'payments/db.yaml': manifest(), 'shop/db.yaml': manifest({ namespace: 'shop' }) });
});
after(() => team.remove());

async function commit(key: string | undefined, files: Record<string, string | null>, on?: string): Promise<string> {
  if (on !== undefined) await team.tree.git('checkout', '-q', '--detach', on);
  const made = await team.tree.commit(files);
  return key === undefined ? made : team.commit(key, { args: ['--amend'] });
}

async function judged(head: string, input: Partial<JudgeInput> = {}): Promise<Verdict> {
  const repository = await openRepository(team.tree.directory);
  const policy = await readPolicy(team.file('policy.yaml'));
  const rest = { path: '', outstanding: [], sealedBefore: SealedBefore.inMemory(), now: new Date() };
  return judge({ repository, mode: 'strict', policy, ...rest, accepted, head, ...input });
}

function told({ refusals }: Verdict): string[] {
  return refusals.map(({ path, subject, error }) => `${path} ${subject} ${error.code}`).sort();
}

const payments = (value: string, namespace = 'payments') => ({
  'payments/db.yaml': manifest({ namespace, data: { password: sealed(value, value) } }),
});

describe('with real signatures', () => {
  test('a commit counts for whom its key belongs to, where the policy gives that person the right', async () => {
    assert.deepEqual(told(await judged(await commit('val', payments('v2'), accepted))), []);
    const elsewhere = { 'shop/db.yaml': manifest({ namespace: 'shop', data: { password: sealed('v3', 'v3') } }) };
    assert.deepEqual(told(await judged(await commit('val', elsewhere, accepted))), [
      'shop/db.yaml values TRUST_NOT_GRANTED',
    ]);
    const verdict = await judged(await commit('sam', elsewhere, accepted));
    assert.deepEqual([told(verdict), verdict.signer?.names], [[], ['sam@security.example']]);
    assert.deepEqual(told(await judged(await commit(undefined, payments('v4'), accepted))), [
      'payments/db.yaml signature TRUST_UNSIGNED',
    ]);
  });

  test('a key that is unknown or revoked counts for nobody, and the refusal says which', async () => {
    for (const [key, code] of [
      ['stranger', 'SIGNATURE_SIGNER_UNKNOWN'],
      ['thief', 'SIGNATURE_KEY_REVOKED'],
    ] as const) {
      const verdict = await judged(await commit(key, payments(key), accepted));
      assert.deepEqual(told(verdict), ['payments/db.yaml signature TRUST_SIGNATURE']);
      assert.match(String(verdict.refusals[0]?.error.message), new RegExp(code));
    }
  });

  test('a commit whose content was changed after it was signed is refused', async () => {
    const good = await commit('val', payments('v5'), accepted);
    const other = await commit('val', payments('v6'), accepted);
    const [tree, otherTree] = [
      await team.tree.git('rev-parse', `${good}^{tree}`),
      await team.tree.git('rev-parse', `${other}^{tree}`),
    ];
    const forged = await team.write(
      'commit',
      Buffer.from(team.raw(good).toString('latin1').replace(tree, otherTree), 'latin1'),
    );
    assert.deepEqual(told(await judged(forged)), ['payments/db.yaml signature TRUST_SIGNATURE']);
  });

  test('git’s own merge needs any signer, and a squash is of who made it', async () => {
    const side = await commit('val', payments('v7'), accepted);
    await commit('sam', { 'shop/new.yaml': manifest({ namespace: 'shop', name: 'new' }) }, accepted);
    const identity = [
      '-c',
      'user.name=Bot',
      '-c',
      'user.email=bot@ci.example',
      '-c',
      `user.signingKey=${team.file('bot')}`,
    ];
    await team.tree.git(...identity, 'merge', '-q', '-S', '-m', 'Merge', side);
    assert.deepEqual(told(await judged(await team.tree.git('rev-parse', 'HEAD'))), []);
    const squashed = await commit('bot', payments('v7'), accepted);
    assert.deepEqual(told(await judged(squashed)), ['payments/db.yaml values TRUST_NOT_GRANTED']);
  });

  test('a manifest that was copied writes nowhere but where its path may, whoever signed', async () => {
    const copy = await commit('sam', { 'shop/copy.yaml': manifest() }, accepted);
    assert.deepEqual(told(await judged(copy)), ['shop/copy.yaml namespace TRUST_NAMESPACE']);
    const wide = manifest({
      namespace: 'shop',
      name: 'wide',
      more: ['scope: cluster', 'namespaces: ["shop-*", "pay*"]'],
    });
    const verdict = await judged(await commit('sam', { 'shop/wide.yaml': wide }, accepted));
    assert.deepEqual(told(verdict), ['shop/wide.yaml namespace TRUST_NAMESPACE']);
    assert.match(String(verdict.refusals[0]?.error.message), /pay\*/);
    const outside = await judged(copy, { mode: 'off', namespaces: ['shop'] });
    assert.deepEqual(told(outside), ['shop/copy.yaml namespace TRUST_NAMESPACE']);
    const nowhere = await commit('sam', { 'other/x.yaml': manifest() }, accepted);
    assert.deepEqual(told(await judged(nowhere)), ['other/x.yaml namespace TRUST_NAMESPACE']);
  });

  test('in mode head the newest commit answers for all, whoever made the rest', async () => {
    const head = await commit('sam', payments('v9'), await commit(undefined, payments('v8'), accepted));
    assert.deepEqual(told(await judged(head, { mode: 'head' })), []);
    const other = await commit(
      'val',
      { 'payments/x.txt': 'x' },
      await commit('sam', { 'payments/db.yaml': null }, accepted),
    );
    assert.deepEqual(told(await judged(other, { mode: 'head' })), ['payments/db.yaml removal TRUST_NOT_GRANTED']);
    const unsigned = await commit(undefined, { 'payments/x.txt': 'x' }, head);
    assert.deepEqual(told(await judged(unsigned, { mode: 'head' })), [
      'payments/db.yaml signature TRUST_UNSIGNED',
      'payments/x.txt signature TRUST_UNSIGNED',
    ]);
  });

  test('in mode head the tag that is followed has to be signed itself, under its own name, for that commit', async () => {
    const head = await commit('sam', payments('v10'), accepted);
    const tag = async (name: string, options: string[], of = head) => {
      const identity = [
        '-c',
        'user.name=Sam',
        '-c',
        'user.email=sam@security.example',
        '-c',
        `user.signingKey=${team.file('sam')}`,
      ];
      await team.tree.git(...identity, 'tag', ...options, name, of);
      return team.tree.git('rev-parse', name);
    };
    const good = await tag('v1', ['-s', '-m', 'Release']);
    const other = await tag('v2', ['-s', '-m', 'Release'], accepted);
    const plain = await tag('v3', ['-a', '-m', 'Release']);
    await tag('v4', []);
    const of = async (ref: string, oid?: string) =>
      told(await judged(head, { mode: 'head', ref: `refs/tags/${ref}`, ...(oid === undefined ? {} : { tag: oid }) }));
    assert.deepEqual(await of('v1', good), []);
    assert.deepEqual(await of('v9', good), ['payments/db.yaml signature TRUST_SIGNATURE']);
    assert.deepEqual(await of('v2', other), ['payments/db.yaml signature TRUST_SIGNATURE']);
    assert.deepEqual(await of('v3', plain), ['payments/db.yaml signature TRUST_UNSIGNED']);
    assert.deepEqual(await of('v4'), ['payments/db.yaml signature TRUST_UNSIGNED']);
    // What is held back for it stays so, although its commit has a signature.
    const { outstanding } = await judged(head, { mode: 'head', ref: 'refs/tags/v4' });
    const again = { mode: 'head', ref: 'refs/tags/v4', accepted: head, outstanding } as const;
    assert.deepEqual(told(await judged(head, again)), ['payments/db.yaml signature TRUST_UNSIGNED']);
  });

  test('a clone that ends before what has to be judged is told apart from a rewind', async () => {
    const first = await commit('val', payments('v11'), accepted);
    const head = await commit('val', payments('v12'), first);
    await team.tree.git('branch', '-f', 'deep', head);
    const shallow = team.file('shallow');
    await team.tree.git('clone', '-q', '--depth=1', '--branch=deep', `file://${team.tree.directory}`, shallow);
    const repository = await openRepository(shallow);
    const input = { repository, accepted: first };
    await assert.rejects(judged(head, input), { code: 'TRUST_HISTORY_SHALLOW' });
    repository.close();
  });
});

describe('a policy', () => {
  test('is another one when any of its files is, and names its files', async () => {
    const one = await readPolicy(team.file('policy.yaml'));
    assert.deepEqual(one.files.map((file) => file.slice(team.root.length + 1)).sort(), [
      'allowed_signers',
      'policy.yaml',
      'revoked',
    ]);
    assert.equal((await readPolicy(team.file('policy.yaml'))).digest, one.digest);
    for (const [name, text] of [
      ['copy.yaml', `${POLICY}# \n`],
      ['copy.yaml', POLICY.replace('allowed_signers', './allowed_signers2')],
    ] as const) {
      await writeFile(team.file('allowed_signers2'), '');
      await writeFile(team.file(name), text);
      assert.notEqual((await readPolicy(team.file(name))).digest, one.digest);
    }
  });

  test('that cannot be read is an error with its file', async () => {
    const table: [text: string, code: string, file: string][] = [
      ['apiVersion: coffer.dev/v1\nkind: Config\n', 'TRUST_POLICY_KIND', 'bad.yaml'],
      [`${POLICY}---\n${POLICY}`, 'TRUST_POLICY_KIND', 'bad.yaml'],
      ['', 'TRUST_POLICY_KIND', 'bad.yaml'],
      [POLICY.replace('revoked: revoked', 'revoked: gone'), 'TRUST_POLICY_FILE', 'gone'],
      [POLICY.replace('may: [values]', 'may: [everything]'), 'DOCUMENT_FIELD', 'bad.yaml'],
      [
        POLICY.replace('allowedSigners: allowed_signers', 'allowedSigners: policy.yaml'),
        'SIGNERS_ALLOWED_LINE',
        'policy.yaml',
      ],
    ];
    for (const [text, code, file] of table) {
      await writeFile(team.file('bad.yaml'), text);
      await assert.rejects(readPolicy(team.file('bad.yaml')), (error: { code: string; data: { file: string } }) => {
        assert.deepEqual([error.code, error.data.file], [code, team.file(file)]);
        return true;
      });
    }
    await assert.rejects(readPolicy(team.file('nowhere.yaml')), { code: 'TRUST_POLICY_FILE' });
    await assert.rejects(readPolicy(team.root), { code: 'TRUST_POLICY_FILE' });
  });

  test('is needed where signatures are', async () => {
    const repository = await openRepository(team.tree.directory);
    const rest = { repository, path: '', outstanding: [], sealedBefore: SealedBefore.inMemory(), now: new Date() };
    for (const mode of ['head', 'strict'] as const) {
      await assert.rejects(judge({ ...rest, mode, accepted, head: accepted }), { code: 'TRUST_POLICY_MISSING' });
    }
  });
});
