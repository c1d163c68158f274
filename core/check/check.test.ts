import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryRepository, manifestText } from '../../test/check/memory-repository.ts';
import fc from '../../test/support/properties.ts';
import { createRecipient } from '../keys/create.ts';
import { endorse } from '../keys/endorsement.ts';
import type { KeyStatus, Recipient } from '../keys/recipient.ts';
import { check } from './check.ts';
import { RULES } from './rule-list.ts';

const FILE = 'apps/payments-db.yaml';
const CANARY = 'hunter2';

/** A repository with two clusters and one sealed manifest, in which nothing is wrong. */
function sound(): MemoryRepository {
  const repository = new MemoryRepository(['production', 'staging']);
  repository.seal(FILE, manifestText({}));
  return repository;
}

/** Rule ids with the places, in order. */
async function rules(repository: MemoryRepository, isSubject?: (path: string) => boolean): Promise<string[]> {
  const { findings } = await check(repository, isSubject);
  assert.ok(!JSON.stringify(findings).includes(CANARY), 'a finding holds a value');
  return findings.map(({ rule, data }) => `${rule} ${data.file}`);
}

function replaced(repository: MemoryRepository, path: string, from: string | RegExp, to: string): void {
  const text = repository.text(path);
  assert.notEqual(text.replace(from, to), text, `${String(from)} is not in ${path}`);
  repository.write(path, text.replace(from, to));
}

function withStatus(recipient: Recipient, status: KeyStatus): Recipient {
  return { ...recipient, keys: recipient.keys.map((key) => ({ ...key, status })) };
}

test('a sound repository has no findings', async () => {
  const repository = sound();
  repository.seal('apps/all.json.yaml', manifestText({ name: 'shared', readers: "[{name: '*'}]" }));
  repository.write('README.md', '# Secrets');
  repository.write('deployment.yaml', 'kind: Deployment\nspec: {a: {{ helm }} }\n');
  const report = await check(repository);
  assert.deepEqual(report, { findings: [], files: 7, manifests: 2 });
});

const STANZA_LINE = /\n +staging: "[^"]+"/;

const broken: {
  what: string;
  rule: keyof typeof RULES | (string & {});
  at?: string;
  change(r: MemoryRepository): void;
}[] = [
  {
    what: 'a value in plaintext',
    rule: 'CHECK_PLAINTEXT',
    change: (r) => r.write(FILE, manifestText({ data: { password: CANARY } })),
  },
  {
    what: 'a template with a password typed into it',
    rule: 'CHECK_TEMPLATE_SECRET',
    change: (r) =>
      r.seal(FILE, manifestText({ more: `  template: {data: {URL: "postgres://\${username}:${CANARY}@db"}}\n` })),
  },
  {
    what: 'a label that is a token',
    rule: 'CHECK_TEMPLATE_SECRET',
    change: (r) =>
      r.seal(FILE, manifestText({ more: `  template: {metadata: {annotations: {a: "ghp_${'a1B2'.repeat(10)}"}}}\n` })),
  },
  {
    what: 'a template with random text',
    rule: 'CHECK_TEMPLATE_RANDOM',
    change: (r) =>
      r.seal(FILE, manifestText({ more: '  template: {data: {SALT: "q7Zt1LwX9bKc3RfVh5NpYd8sGm2JxUa4"}}\n' })),
  },
  {
    what: 'a Kubernetes Secret',
    rule: 'CHECK_KUBERNETES_SECRET',
    at: 'secret.yaml',
    change: (r) => r.write('secret.yaml', `apiVersion: v1\nkind: Secret\nstringData: {password: ${CANARY}}\n`),
  },
  {
    what: 'an ejson file with plaintext',
    rule: 'CHECK_EJSON_PLAINTEXT',
    at: 'app.ejson',
    change: (r) => r.write('app.ejson', `{"_public_key": "${'ab'.repeat(32)}", "password": "${CANARY}"}`),
  },
  {
    what: 'a secret key, in the keyring folder too',
    rule: 'CHECK_SECRET_KEY',
    at: '.coffer/notes.txt',
    change: (r) => r.write('.coffer/notes.txt', `COFFER-SECRET-1-${'Ab-_09'.repeat(8)}`),
  },
  {
    what: 'a recipient that nobody knows',
    rule: 'CHECK_RECIPIENT_UNKNOWN',
    change: (r) => r.files.delete('.coffer/recipients/staging.yaml'),
  },
  {
    what: 'a required recipient that is missing',
    rule: 'CHECK_RECIPIENT_REQUIRED',
    change: (r) => {
      r.addRecipient('recovery');
      r.configure('  requiredRecipients: [recovery]\n');
    },
  },
  {
    what: 'a recipient in the configuration that nobody knows',
    rule: 'CHECK_CONFIG_RECIPIENT',
    at: '.coffer/config.yaml',
    change: (r) => r.configure('  rules: [{path: apps/, recipients: [nobody]}]\n'),
  },
  {
    what: 'a listed recipient without stanzas',
    rule: 'CHECK_STANZA_PENDING',
    change: (r) => replaced(r, FILE, STANZA_LINE, ''),
  },
  {
    what: 'a data key without any stanza',
    rule: 'CHECK_STANZA_NONE',
    change: (r) => replaced(r, FILE, /\n {2}keys:[\s\S]*$/, '\n'),
  },
  {
    what: 'a stanza for somebody who is not listed',
    rule: 'CHECK_STANZA_UNLISTED',
    change: (r) => replaced(r, FILE, '[production, staging]', '[production]'),
  },
  {
    what: 'a stanza for a key that its recipient does not have',
    rule: 'CHECK_STANZA_UNKNOWN_KEY',
    change: (r) => r.addRecipient('staging'),
  },
  {
    what: 'a data key that no value names',
    rule: 'CHECK_DATA_KEY_UNUSED',
    change: (r) => {
      r.seal('old.yaml', manifestText({}));
      const [, keys = ''] = /\n {2}keys:\n([\s\S]*)$/.exec(r.text('old.yaml')) ?? [];
      r.files.delete('old.yaml');
      r.write(FILE, `${r.text(FILE).trimEnd()}\n${keys}`);
    },
  },
  {
    what: 'a manifest copied under another name',
    rule: 'CHECK_COPIED_MANIFEST',
    at: 'copy.yaml',
    change: (r) => r.write('copy.yaml', r.text(FILE).replace('name: payments-db', 'name: other-db')),
  },
  {
    what: 'a value copied to another entry',
    rule: 'CHECK_COPIED_VALUE',
    change: (r) => {
      const sealed = /password: (\S+)/.exec(r.text(FILE))?.[1] ?? '';
      replaced(r, FILE, /username: \S+/, `username: ${sealed}`);
    },
  },
  { what: 'no readers', rule: 'CHECK_READERS_NONE', change: (r) => r.seal(FILE, manifestText({ readers: '[]' })) },
  {
    what: 'a reader of an entry that does not exist',
    rule: 'CHECK_READER_ENTRY_UNKNOWN',
    change: (r) => r.seal(FILE, manifestText({ readers: '[{name: a, entries: [pasword]}]' })),
  },
  {
    what: 'a reader of a template without its parts',
    rule: 'CHECK_READER_TEMPLATE_PARTS',
    change: (r) =>
      r.seal(
        FILE,
        manifestText({
          readers: '[{name: a, entries: [URL]}]',
          more: '  template: {data: {URL: "db://${username}"}}\n',
        }),
      ),
  },
  {
    what: 'two manifests of one name',
    rule: 'CHECK_TWO_OWNERS',
    at: 'second.yaml',
    change: (r) => r.seal('second.yaml', manifestText({ recipients: ['staging'] })),
  },
  {
    what: 'a manifest that is too large for kubectl',
    rule: 'CHECK_SIZE',
    change: (r) => r.seal(FILE, manifestText({ data: { big: 'x'.repeat(200_000) } })),
  },
  {
    what: 'a symbolic link to a manifest',
    rule: 'CHECK_SYMLINK',
    at: 'other/link.yaml',
    change: (r) => r.link('other/link.yaml', '../apps/payments-db.yaml'),
  },
  {
    what: 'conflict markers',
    rule: 'FILE_CONFLICT_MARKERS',
    change: (r) => replaced(r, FILE, '  data:', '<<<<<<< ours\n=======\n>>>>>>> theirs\n  data:'),
  },
];

describe('a check finds', () => {
  for (const { what, rule, at = FILE, change } of broken) {
    test(what, async () => {
      const repository = sound();
      change(repository);
      const found = await rules(repository);
      assert.ok(found.includes(`${rule} ${at}`), found.join('\n'));
      assert.deepEqual([...new Set(found)], [`${rule} ${at}`]);
    });
  }

  test('stanzas for a retired key, or for a revoked one while there is no other, as a warning; a recipient without active key is told', async () => {
    for (const [status, rule] of [
      ['retired', 'CHECK_STANZA_RETIRED'],
      ['revoked', 'CHECK_STANZA_WAITS'],
    ] as const) {
      const repository = sound();
      const staging = repository.recipients.get('staging');
      assert.ok(staging);
      repository.setRecipient(withStatus(staging, status));
      assert.deepEqual(await rules(repository), [
        'CHECK_RECIPIENT_NO_ACTIVE_KEY .coffer/recipients/staging.yaml',
        `${rule} ${FILE}`,
      ]);
    }
  });

  test('stanzas for a revoked key as an error once there is another to seal to', async () => {
    const repository = sound();
    const staging = repository.recipients.get('staging');
    assert.ok(staging);
    const { recipient, identitySeed } = createRecipient({
      name: 'staging',
      type: 'cluster',
      created: '2026-11-21T09:00:00Z',
    });
    const old = staging.keys.map((key) => ({
      ...key,
      status: 'revoked' as const,
      endorsement: endorse(identitySeed, 'staging', key.kid, key.created),
    }));
    repository.setRecipient({ ...recipient, keys: [...recipient.keys, ...old] });
    assert.deepEqual(await rules(repository), [`CHECK_STANZA_REVOKED ${FILE}`]);
  });

  test('no recipients in folders of the keyring, which nobody seals to either', async () => {
    const repository = sound();
    const other = new MemoryRepository(['staging']);
    repository.write('.coffer/recipients/old/staging.yaml', other.text('.coffer/recipients/staging.yaml'));
    assert.deepEqual(await rules(repository), []);
  });

  test('a recipient whose file is broken as that, and not as an unknown recipient', async () => {
    const repository = sound();
    replaced(repository, '.coffer/recipients/staging.yaml', /endorsement: "..../, 'endorsement: "AAAA');
    const found = await rules(repository);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', / \.coffer\/recipients\/staging\.yaml$/);
  });
});

describe('one name for several environments', () => {
  test('in several files is no finding, whatever their ciphertext', async () => {
    const repository = new MemoryRepository(['production', 'staging']);
    repository.seal('production/db.yaml', manifestText({ recipients: ['production'] }));
    repository.seal('staging/db.yaml', manifestText({ recipients: ['staging'] }));
    assert.deepEqual(await rules(repository), []);
  });
});

describe('a check of some files', () => {
  test('reports on these only, and still sees that another file owns their names', async () => {
    const repository = sound();
    repository.seal('second.yaml', manifestText({}));
    repository.write('third.yaml', manifestText({ name: 'third', data: { password: CANARY } }));
    assert.deepEqual(await rules(repository, (path) => path === FILE), [`CHECK_TWO_OWNERS ${FILE}`]);
    assert.deepEqual(await rules(repository, (path) => path === 'second.yaml'), ['CHECK_TWO_OWNERS second.yaml']);
  });

  test('looks for plaintext outside of `include` too, and for manifests only there', async () => {
    const repository = sound();
    repository.configure('  include: [apps/]\n');
    repository.write('other/db.yaml', 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\n');
    repository.write('other/secret.yaml', 'apiVersion: v1\nkind: Secret\nstringData: {a: b}\n');
    assert.deepEqual(await rules(repository), ['CHECK_KUBERNETES_SECRET other/secret.yaml']);
  });

  test('leaves alone what the configuration ignores', async () => {
    const repository = sound();
    repository.configure('  ignore: [test/]\n');
    repository.write('test/key.txt', `COFFER-SECRET-1-${'Ab-_09'.repeat(8)}`);
    repository.write('test/db.yaml', manifestText({ data: { password: CANARY } }));
    assert.deepEqual(await rules(repository), []);
  });
});

test('no bytes in a file make the check fail: there are findings, or none', async () => {
  const repository = sound();
  const text = repository.text(FILE);
  const damage = fc.record({
    at: fc.nat(text.length),
    length: fc.nat(40),
    insert: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n---\n', '{', '&a ', 'kind: Secret\n', '<<<<<<< a\n'),
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      damage,
      fc.constantFrom('a.yaml', 'a.json', 'a.ejson', '.coffer/recipients/a.yaml'),
      async (cut, path) => {
        repository.write(path, `${text.slice(0, cut.at)}${cut.insert}${text.slice(cut.at + cut.length)}`);
        await check(repository);
        repository.files.delete(path);
      },
    ),
    { numRuns: 300 },
  );
});

test('every rule has its section in docs/checks.md', async () => {
  const { readFile } = await import('node:fs/promises');
  const page = await readFile(new URL('../../docs/checks.md', import.meta.url), 'utf8');
  for (const [rule, { level }] of Object.entries(RULES)) {
    assert.match(page, new RegExp(`^### ${rule}\\n\\n\\*\\*${level}\\*\\*`, 'm'), rule);
  }
});
