import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CofferError } from '../errors.ts';
import { configFrom, findRoot, isIgnored, isManifestPath, readConfig, recipientsForPath } from './repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'coffer-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const HEAD =
  'apiVersion: coffer.dev/v1\nkind: Config\nmetadata: {name: coffer}\nspec:\n  repository: "AAAAAAAAAAAAAAAAAAAAAA"\n';

function config(spec = '') {
  return configFrom(Buffer.from(HEAD + spec), '.coffer/config.yaml');
}

function make(...files: string[]): string {
  const root = mkdtempSync(join(folder, 'repository-'));
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

function refuses(code: string) {
  return (error: unknown) => error instanceof CofferError && error.code === code;
}

describe('the configuration of a repository', () => {
  test('says only what it has to: everything but the id may be absent', () => {
    const { repository, rules, include, ignore, requiredRecipients } = config();
    assert.deepEqual(
      { repository, rules, include, ignore, requiredRecipients },
      { repository: 'AAAAAAAAAAAAAAAAAAAAAA', rules: [], include: [], ignore: [], requiredRecipients: [] },
    );
  });

  const refused: [string, string, number, string?][] = [
    ['an unknown field', `${HEAD}  rulez: []\n`, 6],
    ['an id that is not 22 characters of base64url', HEAD.replace('AAAA', 'A'), 5],
    ['a recipient that can have no such name', `${HEAD}  rules: [{path: "*", recipients: [Production]}]\n`, 6],
    ['another kind', HEAD.replace('Config', 'EncryptedSecret'), 1, 'CONFIG_INVALID'],
    ['a file that is not coffer’s', 'a: b\n', 1, 'CONFIG_INVALID'],
  ];
  for (const [what, text, line, code = 'DOCUMENT_FIELD'] of refused) {
    test(`refuses ${what}, and says where`, () => {
      assert.throws(
        () => configFrom(Buffer.from(text), 'config.yaml'),
        (error) => error instanceof CofferError && error.code === code && error.data.line === line,
      );
    });
  }

  test('the first rule that matches gives the recipients, and the required ones come to it', () => {
    const rules = config(
      '  rules:\n    - {path: "production/**", recipients: [production]}\n    - {path: "*.yaml", recipients: [staging]}\n  requiredRecipients: [recovery]\n',
    );
    assert.deepEqual(recipientsForPath(rules, 'production/db.yaml'), ['production', 'recovery']);
    assert.deepEqual(recipientsForPath(rules, 'deep/inside/db.yaml'), ['staging', 'recovery']);
    assert.deepEqual(recipientsForPath(rules, 'db.json'), []);
  });

  const paths: [string, string, string, boolean][] = [
    ['by default', '', 'payments/db.yaml', true],
    ['by default', '', 'payments/db.yml', true],
    ['by default', '', 'payments/db.json', true],
    ['by default', '', 'payments/db.txt', false],
    ['by default', '', '.coffer/recipients/production.yaml', false],
    ['by default', '', 'team/.coffer/db.yaml', false],
    ['by default', '', 'team/.Coffer/db.yaml', false],
    ['by default', '', 'coffer.yaml', true],
    ['by default', '', 'node_modules/x/db.yaml', false],
    ['by default', '', '.git/db.yaml', false],
    ['with include', '  include: ["secrets/"]\n', 'secrets/db.txt', true],
    ['with include', '  include: ["secrets/"]\n', 'db.yaml', false],
    ['with include', '  include: ["secrets/"]\n', 'secrets/COFFER~1/db.yaml', false],
    ['with ignore', '  ignore: ["fixtures/", "!fixtures/kept.yaml"]\n', 'fixtures/db.yaml', false],
    ['with ignore', '  ignore: ["/top.yaml"]\n', 'under/top.yaml', true],
  ];
  for (const [when, spec, path, wanted] of paths) {
    test(`${when}, ${path} ${wanted ? 'is' : 'is not'} where manifests are looked for`, () => {
      assert.equal(isManifestPath(config(spec), path), wanted);
    });
  }

  test('ignored is what ignore, and git, leave alone; include has no say', () => {
    const both = config('  include: ["secrets/"]\n  ignore: ["*.txt"]\n');
    assert.deepEqual(
      ['a.txt', 'a.yaml', '.git/config'].map((path) => isIgnored(both, path)),
      [true, false, true],
    );
  });
});

describe('the root of a repository', () => {
  test('is found from any folder in it', async () => {
    const root = make('.coffer/config.yaml', 'a/b/c.yaml');
    assert.equal(await findRoot(join(root, 'a/b')), root);
    assert.equal(await findRoot(root), root);
  });

  test('is not looked for beyond the git repository', async () => {
    const root = make('.coffer/config.yaml', 'inner/.git/HEAD', 'inner/a/db.yaml');
    await assert.rejects(findRoot(join(root, 'inner/a')), refuses('REPOSITORY_NOT_FOUND'));
  });

  test('without a configuration it is broken, not absent', async () => {
    const root = make('.coffer/recipients/production.yaml');
    assert.equal(await findRoot(root), root);
    await assert.rejects(readConfig(root), refuses('CONFIG_MISSING'));
  });
});
