import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { parseCommit } from './commit.ts';
import { commitBytes } from './commit-writer.ts';
import { readSigned } from './signed-object.ts';

const oid = (text: string): string => createHash('sha1').update(text).digest('hex');
const by = { name: 'coffer (production)', email: 'production@cluster.coffer.dev', time: 1_800_000_000 };

test('a commit is read as it was written, and all of it but the signature was signed, whatever its message is', () => {
  const armor = '-----BEGIN SSH SIGNATURE-----\nAAAA\nBBBB\n-----END SSH SIGNATURE-----\n';
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.array(fc.string(), { maxLength: 3 }),
      (text, names) => {
        const wanted = { tree: oid('tree'), parents: names.map(oid), by, message: text };
        let signed: Buffer = Buffer.alloc(0);
        const bytes = commitBytes(wanted, (payload) => {
          signed = payload;
          return armor;
        });
        const { payload, signature } = readSigned('commit', oid('it'), bytes);
        assert.deepEqual(payload, signed);
        assert.equal(String(signature?.text), armor);
        const { tree, parents, author, committer } = parseCommit(oid('it'), bytes);
        assert.deepEqual(
          { tree, parents, author, committer },
          { tree: oid('tree'), parents: wanted.parents, author: by, committer: by },
        );
      },
    ),
  );
});

test('what git would write otherwise is a mistake of ours', () => {
  const sign = () => '';
  const fine = { tree: oid('tree'), parents: [], by, message: 'x' };
  assert.throws(() => commitBytes({ ...fine, tree: 'HEAD' }, sign), { name: 'Bug' });
  for (const name of ['a\nparent b', 'a <b>', 'a\0']) {
    assert.throws(() => commitBytes({ ...fine, by: { ...by, name } }, sign), { name: 'Bug' });
  }
});
