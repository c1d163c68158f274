import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { SigningTree, sshFiles, withSignature } from './signing-tree.ts';

/**
 * What `git verify-commit` says of commits that the real git and ssh-keygen have signed, and what we say. Where we differ,
 * the row says why.
 */

let signing: SigningTree;
/** Public keys by name, and commits that they signed. */
const keys = new Map<string, string>();
const commits = new Map<string, string>();

before(async () => {
  signing = await SigningTree.create();
  const kinds = [
    ['ed25519', 'ed25519', 256],
    ['p256', 'ecdsa', 256],
    ['p384', 'ecdsa', 384],
    ['p521', 'ecdsa', 521],
    ['rsa', 'rsa', 2048],
    ['small', 'rsa', 1024],
    ['other', 'ed25519', 256],
  ] as const;
  for (const [name, type, bits] of kinds) {
    keys.set(name, await signing.sshKey(name, type, bits));
    commits.set(name, await signing.commit(name));
  }
  commits.set('backdated', await signing.commit('ed25519', { date: '2020-06-01T12:00:00Z' }));
});
after(() => signing.remove());

const key = (name: string) => keys.get(name) ?? assert.fail(name);
const commitOf = (name: string) => commits.get(name) ?? assert.fail(name);
const ada = (options = '', of = 'ed25519') => `ada@example.org ${options}${options && ' '}${key(of)}\n`;

interface Row {
  name: string;
  commit?: string;
  allowed: () => string;
  revoked?: () => string;
  git: boolean;
  we: string;
  because?: string;
}

const rows: Row[] = [
  ...['ed25519', 'p256', 'p384', 'p521', 'rsa'].map((name) => ({
    name: `${name}`,
    commit: name,
    allowed: () => ada('', name),
    git: true,
    we: 'good',
  })),
  {
    name: 'RSA of 1,024 bits',
    commit: 'small',
    allowed: () => ada('', 'small'),
    git: true,
    we: 'SIGNERS_ALLOWED_LINE',
    because: 'OpenSSH’s limit is from 2018; NIST has forbidden less than 2,048 bits since 2014',
  },
  {
    name: 'a key that nobody allowed',
    commit: 'other',
    allowed: () => ada(),
    git: false,
    we: 'SIGNATURE_SIGNER_UNKNOWN',
  },
  { name: 'no signers', allowed: () => '# nobody\n\n', git: false, we: 'SIGNATURE_SIGNER_UNKNOWN' },
  {
    name: 'principals as patterns',
    allowed: () => `*@example.org,!bob@example.org ${key('ed25519')}`,
    git: true,
    we: 'good',
  },
  {
    name: 'only a negated principal',
    allowed: () => `!bob@x ${key('ed25519')}`,
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  {
    name: 'a principal that its line negates',
    allowed: () => `ada@x,!*@x ${key('ed25519')}`,
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  { name: 'principals in quotes', allowed: () => `"ada lovelace" ${key('ed25519')}`, git: true, we: 'good' },
  {
    name: 'blanks, comments, CRLF',
    allowed: () => `#x\r\n\t ada@x \t ${key('ed25519')} a comment\r\n`,
    git: true,
    we: 'good',
  },
  { name: 'namespaces that have git', allowed: () => ada('namespaces="file,git"'), git: true, we: 'good' },
  { name: 'namespaces by pattern', allowed: () => ada('NameSpaces="g?t"'), git: true, we: 'good' },
  { name: 'other namespaces', allowed: () => ada('namespaces="file"'), git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  { name: 'git negated', allowed: () => ada('namespaces="*,!git"'), git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  { name: 'valid now', allowed: () => ada('valid-after="20200101Z",valid-before="29990101Z"'), git: true, we: 'good' },
  { name: 'expired', allowed: () => ada('valid-before="20200101"'), git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  {
    name: 'not valid yet',
    allowed: () => ada('valid-after="299901010000"'),
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  {
    name: 'a date of the commit at which an expired key was valid',
    commit: 'backdated',
    allowed: () => ada('valid-before="20210101"'),
    git: true,
    we: 'SIGNATURE_KEY_NOT_VALID',
    because: 'a thief of an old key can write that date',
  },
  {
    name: 'a date of the commit before the key was valid',
    commit: 'backdated',
    allowed: () => ada('valid-after="20210101"'),
    git: false,
    we: 'good',
    because: 'dates in a commit prove nothing either way; the key is valid now',
  },
  {
    name: 'another line with the key, for files only, in front',
    allowed: () => `${ada('namespaces="file"').replace('ada', 'bob')}${ada()}`,
    git: false,
    we: 'good',
    because: 'git asks for the principals of the first line only; ssh-keygen -Y verify -I ada takes it',
  },
  {
    name: 'a revoked key in a list',
    allowed: () => ada(),
    revoked: () => `# lost\n${key('ed25519')}\n`,
    git: false,
    we: 'SIGNATURE_KEY_REVOKED',
  },
  {
    name: 'another revoked key in a list',
    allowed: () => ada(),
    revoked: () => `${key('other')} c\n${key('small')}\n`,
    git: true,
    we: 'good',
  },
  { name: 'an empty list of revoked keys', allowed: () => ada(), revoked: () => '', git: true, we: 'good' },
  {
    name: 'a list of revoked keys with something else',
    allowed: () => ada(),
    revoked: () => 'bob\n',
    git: false,
    we: 'SIGNERS_REVOKED_LINE',
  },
  {
    name: 'a fingerprint among the revoked keys',
    allowed: () => ada(),
    revoked: () => 'SHA256:02D7sZ6uXyEpciMjz+bZM0kH9GBRu5LFlIkIC3bBwv4\n',
    git: false,
    we: 'good',
    because: 'git refuses everything then; the log has the fingerprint at hand when a key must go',
  },
  { name: 'an unknown option', allowed: () => ada('restrict'), git: false, we: 'SIGNERS_ALLOWED_LINE' },
  {
    name: 'options with a comma at the end',
    allowed: () => ada('namespaces="git",'),
    git: false,
    we: 'SIGNERS_ALLOWED_LINE',
  },
  { name: 'a time that is none', allowed: () => ada('valid-before="2030"'), git: false, we: 'SIGNERS_ALLOWED_LINE' },
  {
    name: 'an option twice',
    allowed: () => ada('namespaces="git",namespaces="git"'),
    git: false,
    we: 'SIGNERS_ALLOWED_LINE',
  },
  {
    name: 'times in the wrong order',
    allowed: () => ada('valid-after="2030",valid-before="2020"'),
    git: false,
    we: 'SIGNERS_ALLOWED_LINE',
  },
  { name: 'a quote that does not end', allowed: () => ada('namespaces="git'), git: false, we: 'SIGNERS_ALLOWED_LINE' },
  { name: 'a quote within quotes', allowed: () => ada('namespaces="\\"x\\",git"'), git: true, we: 'good' },
  {
    name: 'a broken line of somebody else',
    allowed: () => `bob@x\n${ada()}`,
    git: true,
    we: 'SIGNERS_ALLOWED_LINE',
    because: 'ssh-keygen passes over it; here a file is read whole or not at all, so that nobody is left out unnoticed',
  },
  {
    name: 'a key of another type than it says',
    allowed: () => `ada@x ${key('ed25519').replace('ssh-ed25519', 'ssh-rsa')}`,
    git: false,
    we: 'SIGNERS_ALLOWED_LINE',
  },
];

describe('an SSH signature counts for us where it does for git', () => {
  for (const row of rows) {
    test(`${row.name}${row.because === undefined ? '' : ` (we differ: ${row.because})`}`, async () => {
      const oid = commitOf(row.commit ?? 'ed25519');
      const [allowed, revoked] = [row.allowed(), row.revoked?.()];
      const git = await signing.gitSays(oid, { allowed, ...(revoked !== undefined && { revoked }) });
      assert.deepEqual({ git, we: await signing.weSay(oid, sshFiles(allowed, revoked)) }, { git: row.git, we: row.we });
      if (row.because === undefined) assert.equal(git, row.we === 'good');
    });
  }
});

describe('a revocation list of ssh-keygen counts', () => {
  const specifications: [string, () => string, boolean][] = [
    ['a key', () => key('ed25519'), true],
    ['key:', () => `key: ${key('ed25519')}`, true],
    ['sha1:', () => `sha1: ${key('ed25519')}`, true],
    ['sha256:', () => `sha256: ${key('ed25519')}`, true],
    ['several of each', () => `sha1: ${key('p256')}\nsha256: ${key('rsa')}\nkey: ${key('other')}`, false],
    ['certificates only', () => 'serial: 1-100\nserial: 7\nid: somebody', false],
  ];
  for (const [name, specification, isRevoked] of specifications) {
    test(name, async () => {
      await writeFile(signing.file('spec'), `${specification()}\n`);
      await signing.sshKeygen('-q', '-k', '-f', 'krl', '-s', 'other.pub', '-z', '3', 'spec');
      const revoked = await readFile(signing.file('krl'));
      const oid = commitOf('ed25519');
      assert.equal(await signing.gitSays(oid, { allowed: ada(), revoked }), !isRevoked);
      assert.equal(await signing.weSay(oid, sshFiles(ada(), revoked)), isRevoked ? 'SIGNATURE_KEY_REVOKED' : 'good');
    });
  }
});

test('a fingerprint as ssh-keygen -l prints it revokes', async () => {
  const [, fingerprint = ''] = (await signing.sshKeygen('-l', '-f', 'ed25519.pub')).split(' ');
  assert.equal(await signing.weSay(commitOf('ed25519'), sshFiles(ada(), fingerprint)), 'SIGNATURE_KEY_REVOKED');
});

describe('a signature of ssh-keygen', () => {
  const payload = () => {
    const [head = ''] = signing.raw(commitOf('ed25519')).toString('latin1').split('gpgsig ');
    return `${head}\nAnother\n`;
  };
  const table: [string, () => Promise<string>, boolean, string][] = [
    [
      'over SHA-256',
      () => signing.sshSign('ed25519', Buffer.from(payload()), 'git', '-O', 'hashalg=sha256'),
      true,
      'good',
    ],
    ['for files', () => signing.sshSign('ed25519', Buffer.from(payload()), 'file'), false, 'SIGNATURE_NAMESPACE'],
    ['of something else', () => signing.sshSign('ed25519', Buffer.from('x')), false, 'SIGNATURE_BAD'],
    ['in one long line', async () => oneLine(await signing.sshSign('ed25519', Buffer.from(payload()))), true, 'good'],
  ];
  for (const [name, sign, git, we] of table) {
    test(name, async () => {
      const oid = await signing.write('commit', withSignature(payload(), await sign()));
      assert.equal(await signing.gitSays(oid, { allowed: ada() }), git);
      assert.equal(await signing.weSay(oid, sshFiles(ada())), we);
    });
  }
});

const oneLine = (armored: string) => armored.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, '');
