import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { sealedManifest, sealingKey, testCluster } from '../../../test/support/secrets.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { readManifestFile } from './read-manifest.ts';
import { mayNeed, sealedTo } from './sealed-to.ts';

const OTHER = 'ab'.repeat(16);

describe('to which keys a file is sealed', () => {
  let text = '';
  let kid = '';
  const escaped = (how: (code: string) => string) =>
    text.replaceAll(`"${kid}:`, `"${how(kid.charCodeAt(0).toString(16))}${kid.slice(1)}:`);
  const yaml = (json: string) => `# a comment: YAML, then\n${json}`;

  before(async () => {
    await sodiumReady();
    const production = testCluster('production');
    ({ kid } = sealingKey(production));
    const [namespace, name] = ['payments', 'db'];
    text = sealedManifest({ namespace, name, to: [production], data: { password: 'one' } });
  });

  const READ: Record<string, () => string> = {
    'as coffer writes it': () => text,
    'with an escape of JSON in the id': () => escaped((code) => `\\u00${code}`),
    'with an escape of YAML in the id': () => yaml(escaped((code) => `\\x${code}`)),
    'with an escape before the colon': () => text.replaceAll(`"${kid}:`, `"${kid}\\u003a`),
    'with the id over two lines': () => yaml(text.replaceAll(`"${kid}:`, `"${kid.slice(0, 8)}\\\n  ${kid.slice(8)}:`)),
    'with escapes in the kind, too': () =>
      escaped((code) => `\\u00${code}`).replace('EncryptedSecret', '\\u0045ncryptedSecret'),
  };

  for (const [what, write] of Object.entries(READ)) {
    test(`is known of a manifest that opens, ${what}`, () => {
      const bytes = Buffer.from(write());
      const [manifest] = readManifestFile(bytes, 'db.yaml').manifests;
      assert.equal([...(manifest?.stanzas.values() ?? [])][0]?.get('production')?.kid, kid);
      const to = sealedTo(bytes, 'db.yaml');
      assert.deepEqual([[...to.counts], to.isUnclear], [[[kid, 1]], false]);
      assert.equal(mayNeed(to, OTHER), false);
    });
  }

  const UNREAD: Record<string, () => Buffer> = {
    'with escapes and a mistake': () => Buffer.from(escaped((code) => `\\u00${code}`).slice(0, -20)),
    'in UTF-16': () => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  };

  for (const [what, write] of Object.entries(UNREAD)) {
    test(`cannot be told of one that cannot be read, ${what}: then it may be any`, () => {
      assert.equal(mayNeed(sealedTo(write(), 'db.yaml'), OTHER), true);
    });
  }

  test('is known of one that cannot be read, where nothing is escaped', () => {
    const to = sealedTo(Buffer.from(text.slice(0, -20)), 'db.yaml');
    assert.deepEqual([mayNeed(to, kid), mayNeed(to, OTHER)], [true, false]);
  });

  test('is none of a file of others, whatever stands in it', () => {
    for (const foreign of ['a: "\\x39"\n', '{{ if "\\n" }}\n', `# ${kid}\nkind: Deployment\n`]) {
      const to = sealedTo(Buffer.from(foreign), 'other.yaml');
      assert.deepEqual([to.counts.size, to.isUnclear], [0, false]);
    }
  });
});
