import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { SignerFiles } from '../../core/signatures/signers.ts';
import { piped, SigningTree, withSignature } from './signing-tree.ts';

/** What git and the real gpg say of commits that they have signed, and what we say; where we differ, the row says why. */

let signing: SigningTree;
let signed: { payload: Buffer; oid: string };
/** Fingerprints by name. */
const keys = new Map<string, string>();

before(async () => {
  signing = await SigningTree.create();
  await signing.tree.git('config', 'gpg.format', 'openpgp');
  const kinds: [string, string][] = [
    ['ed25519', 'ed25519'],
    ['rsa', 'rsa2048'],
    ['p256', 'nistp256'],
    ['small', 'rsa1024'],
    ['dsa', 'dsa2048'],
    ['other', 'ed25519'],
  ];
  for (const [name, algorithm] of kinds) {
    keys.set(name, await generate(name, algorithm, 'sign', 'never'));
  }
  // As most people have it: a primary key that certifies, and a subkey that signs.
  keys.set('with-subkey', await generate('with-subkey', 'ed25519', 'cert', 'never'));
  await signing.gpg('--passphrase', '', '--quick-add-key', key('with-subkey'), 'ed25519', 'sign', '2y');
  keys.set('subkey', (await fingerprints('with-subkey'))[1] ?? assert.fail());
  const oid = await commitBy('ed25519');
  signed = { oid, payload: payloadOf(oid) };
});
after(() => signing.remove());

const key = (name: string) => keys.get(name) ?? assert.fail(name);

async function generate(name: string, algorithm: string, usage: string, expiry: string): Promise<string> {
  const user = `${name} <${name}@example.org>`;
  await signing.gpg('--passphrase', '', '--quick-generate-key', user, algorithm, usage, expiry);
  return (await fingerprints(name))[0] ?? assert.fail();
}

async function fingerprints(name: string): Promise<string[]> {
  const listed = (
    await signing.gpg('--with-colons', '--with-subkey-fingerprint', '-k', `=${name} <${name}@example.org>`)
  )
    .toString('latin1')
    .matchAll(/^fpr:+([0-9A-F]{40}):/gm);
  return Array.from(listed, ([, fingerprint = '']) => fingerprint);
}

async function commitBy(name: string): Promise<string> {
  return signing.commit('', { args: [`-S${key(name)}!`] });
}

const payloadOf = (oid: string): Buffer => {
  const object = signing.raw(oid).toString('latin1');
  return Buffer.from(object.replace(/gpgsig [\s\S]*?-----END PGP SIGNATURE-----\n(?: \n)?/, ''), 'latin1');
};

/** The public keys of these signers, each in a file of its own, as gpg exports them now. */
async function files(names: string[], revoked: string[] = [], ...options: string[]): Promise<SignerFiles> {
  const exported = names.map(async (name) => ({
    name: `${name}@example.org`,
    file: `${name}.asc`,
    bytes: await signing.gpg('--export', '--armor', ...options, key(name)),
  }));
  return { openpgp: { keys: await Promise.all(exported), revoked } };
}

const gitSays = (oid: string) => signing.gitSays(oid, { allowed: '' });
const weSay = async (oid: string, of: SignerFiles | Promise<SignerFiles>, now?: Date) =>
  signing.weSay(oid, await of, 'commit', now);

describe('an OpenPGP signature counts', () => {
  for (const name of ['ed25519', 'rsa', 'p256']) {
    test(`by a key ${name}, and git takes it too`, async () => {
      const oid = await commitBy(name);
      assert.equal(await gitSays(oid), true);
      assert.equal(await weSay(oid, files(['other', name])), 'good');
    });
  }

  test('by a subkey, with the fingerprint of the primary key', async () => {
    const oid = await commitBy('subkey');
    assert.equal(await gitSays(oid), true);
    assert.equal(await weSay(oid, files(['with-subkey'])), 'good');
  });

  test('on a tag', async () => {
    await signing.tree.git('-c', 'user.name=a', 'config', 'user.signingKey', key('rsa'));
    const armored = (await gpgSign(Buffer.from(tagOf(signed.oid)), key('rsa'))).toString('latin1');
    const oid = await signing.write('tag', Buffer.from(tagOf(signed.oid) + armored));
    assert.equal(await signing.gitSays(oid, { allowed: '' }, 'tag'), true);
    assert.equal(await signing.weSay(oid, await files(['rsa']), 'tag'), 'good');
  });

  test('from keys in binary too', async () => {
    const bytes = await signing.gpg('--export', key('ed25519'), key('rsa'));
    const both: SignerFiles = { openpgp: { keys: [{ name: 'both', file: 'both.gpg', bytes }], revoked: [] } };
    assert.equal(await weSay(signed.oid, both), 'good');
    assert.equal(await weSay(await commitBy('rsa'), both), 'good');
  });

  test('where the key’s clock, or the signer’s, is a little ahead', async () => {
    const [hour, week] = [60 * 60 * 1000, 7 * 24 * 60 * 60 * 1000];
    assert.equal(await weSay(signed.oid, files(['ed25519']), new Date(Date.now() - hour)), 'good');
    assert.equal(await weSay(signed.oid, files(['ed25519']), new Date(Date.now() - week)), 'SIGNATURE_KEY_NOT_VALID');
  });
});

const tagOf = (oid: string) =>
  `object ${oid}\ntype commit\ntag v1\ntagger Ada <ada@example.org> 1700000000 +0000\n\nOne\n`;
const gpgSign = (message: Buffer, by: string, ...options: string[]) =>
  piped(
    'gpg',
    ['--homedir', signing.gnupg, '--batch', '-u', `${by}!`, '--armor', '--detach-sign', ...options],
    message,
  );

interface Row {
  name: string;
  /** The signature of the commit. */
  sign: () => Promise<Buffer>;
  signers?: () => Promise<SignerFiles>;
  git: boolean;
  we: string;
  because?: string;
}

const rows: Row[] = [
  { name: 'of another commit', sign: () => gpgSign(Buffer.from('x'), key('ed25519')), git: false, we: 'SIGNATURE_BAD' },
  {
    name: 'over SHA-512',
    sign: () => gpgSign(signed.payload, key('rsa'), '--digest-algo', 'SHA512'),
    git: true,
    we: 'good',
  },
  {
    name: 'over SHA-1',
    sign: () => gpgSign(signed.payload, key('rsa'), '--digest-algo', 'SHA1'),
    git: true,
    we: 'SIGNATURE_ALGORITHM',
    because: 'gpg 2.2 still takes SHA-1 of documents; a collision would be a second commit of one signature',
  },
  {
    name: 'of text',
    sign: () => gpgSign(signed.payload, key('rsa'), '--textmode'),
    git: true,
    we: 'SIGNATURE_MALFORMED',
    because: 'it does not cover line ends and blanks in front of them, and git never makes it',
  },
  {
    name: 'by RSA of 1,024 bits',
    sign: () => gpgSign(signed.payload, key('small')),
    git: true,
    we: 'SIGNATURE_KEY_NOT_VALID',
    because: 'as with SSH keys',
  },
  {
    name: 'by DSA',
    sign: () => gpgSign(signed.payload, key('dsa')),
    git: true,
    we: 'SIGNATURE_KEY_NOT_VALID',
    because: 'OpenPGP (RFC 9580) has given DSA up',
  },
  {
    name: 'by a key that is not among the signers',
    sign: () => gpgSign(signed.payload, key('other')),
    signers: () => files(['ed25519', 'rsa']),
    git: true,
    we: 'SIGNATURE_SIGNER_UNKNOWN',
    because: 'git takes any key of the keyring',
  },
  {
    name: 'twice',
    sign: async () => armor(Buffer.concat([await dearmored(key('ed25519')), await dearmored(key('rsa'))])),
    git: false,
    we: 'SIGNATURE_MALFORMED',
  },
  {
    name: 'older than its key',
    sign: () =>
      gpgSign(signed.payload, key('rsa'), '--faked-system-time', '20200101T000000!', '--ignore-time-conflict'),
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  {
    name: 'with carriage returns, as jj writes on Windows',
    sign: async () => Buffer.from(`${await gpgSign(signed.payload, key('rsa'))}`.replaceAll('\n', '\r\n')),
    git: true,
    we: 'good',
  },
  {
    name: 'with carriage returns in some lines',
    sign: async () => Buffer.from(`${await gpgSign(signed.payload, key('rsa'))}`.replace('\n\n', '\r\n\n')),
    git: true,
    we: 'SIGNATURE_HEADER',
    because: 'nothing that signs writes it',
  },
  { name: 'of garbage', sign: async () => armor(Buffer.from('garbage')), git: false, we: 'SIGNATURE_MALFORMED' },
];

const dearmored = (by: string) => gpgSign(signed.payload, by, '--no-armor');
const armor = (binary: Buffer) =>
  Buffer.from(`-----BEGIN PGP SIGNATURE-----\n\n${binary.toString('base64')}\n-----END PGP SIGNATURE-----\n`);

describe('an OpenPGP signature', () => {
  for (const row of rows) {
    test(`${row.name}${row.because === undefined ? '' : ` (we differ: ${row.because})`}`, async () => {
      const armored = (await row.sign()).toString('latin1');
      const oid = await signing.write('commit', withSignature(signed.payload.toString('latin1'), armored));
      const all = row.signers ?? (() => files(['ed25519', 'rsa', 'small', 'dsa']));
      assert.deepEqual({ git: await gitSays(oid), we: await weSay(oid, all()) }, { git: row.git, we: row.we });
      if (row.because === undefined) assert.equal(row.git, row.we === 'good');
    });
  }
});

test('an OpenPGP signature with an end counts until then', async () => {
  const armored = (await gpgSign(signed.payload, key('rsa'), '--default-sig-expire', '2d')).toString('latin1');
  const oid = await signing.write('commit', withSignature(signed.payload.toString('latin1'), armored));
  const inDays = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1000);
  assert.equal(await weSay(oid, files(['rsa']), inDays(1)), 'good');
  assert.equal(await weSay(oid, files(['rsa']), inDays(3)), 'SIGNATURE_KEY_NOT_VALID');
});

describe('a key that counts no more', () => {
  test('is one whose fingerprint is revoked, of its subkey too', async () => {
    const oid = await commitBy('subkey');
    for (const name of ['subkey', 'with-subkey']) {
      assert.equal(await weSay(oid, files(['with-subkey'], [key(name)])), 'SIGNATURE_KEY_REVOKED');
    }
    assert.equal(await weSay(oid, files(['with-subkey'], [key('rsa')])), 'good');
  });

  test('is one that is expired now, whatever date the signature has (git takes it: we differ)', async () => {
    keys.set('expiring', await generate('expiring', 'ed25519', 'sign', '1y'));
    const oid = await commitBy('expiring');
    const later = new Date(Date.now() + 2 * 365 * 24 * 60 * 60 * 1000);
    assert.equal(await weSay(oid, files(['expiring'])), 'good');
    assert.equal(await weSay(oid, files(['expiring']), later), 'SIGNATURE_KEY_NOT_VALID');
    assert.equal(
      await weSay(await commitBy('subkey'), files(['with-subkey']), new Date(later.getTime() * 1.05)),
      'SIGNATURE_KEY_NOT_VALID',
    );
  });

  test('is one with a revocation, also in a block of its own behind it, and git refuses it too', async () => {
    keys.set('lost', await generate('lost', 'ed25519', 'sign', 'never'));
    const oid = await commitBy('lost');
    const before = await files(['lost']);
    assert.equal(await weSay(oid, before), 'good');
    // GnuPG makes one with every key, with a colon in front so that nobody imports it by mistake.
    const made = await readFile(`${signing.gnupg}/openpgp-revocs.d/${key('lost')}.rev`, 'utf8');
    const certificate = made.slice(made.indexOf(':-----BEGIN') + 1);
    const [file] = before.openpgp?.keys ?? [];
    assert.ok(file);
    const appended = { ...file, bytes: Buffer.concat([file.bytes, Buffer.from(certificate)]) };
    assert.equal(await weSay(oid, { openpgp: { keys: [appended], revoked: [] } }), 'SIGNATURE_KEY_REVOKED');
    await writeFile(signing.file('revocation'), certificate);
    await signing.gpg('--import', signing.file('revocation'));
    assert.equal(await gitSays(oid), false);
    assert.equal(await weSay(oid, files(['lost'])), 'SIGNATURE_KEY_REVOKED');
    const elsewhere = {
      ...file,
      bytes: Buffer.concat([await signing.gpg('--export', '--armor', key('rsa')), Buffer.from(certificate)]),
    };
    assert.equal(await weSay(oid, { openpgp: { keys: [elsewhere], revoked: [] } }), 'SIGNERS_OPENPGP_KEYS');
  });

  test('is one that may sign no more, and git refuses it too', async () => {
    keys.set('demoted', await generate('demoted', 'ed25519', 'sign', 'never'));
    const oid = await commitBy('demoted');
    const [, ...usage] = [
      'gpg',
      '--homedir',
      signing.gnupg,
      '--no-tty',
      '--command-fd',
      '0',
      '--edit-key',
      key('demoted'),
    ];
    await piped('gpg', usage, Buffer.from('change-usage\nS\nQ\nsave\n'));
    assert.equal(await gitSays(oid), false);
    assert.equal(await weSay(oid, files(['demoted'])), 'SIGNATURE_KEY_NOT_VALID');
  });
});

describe('a file of OpenPGP keys is refused', () => {
  const table: [string, () => Promise<Buffer>][] = [
    ['with a private key', () => signing.gpg('--export-secret-keys', '--armor', key('rsa'))],
    ['with a private key in binary', () => signing.gpg('--export-secret-keys', key('rsa'))],
    ['with nothing in it', async () => Buffer.alloc(0)],
    ['with something else', async () => Buffer.from('ssh-ed25519 AAAA')],
    ['with half a block', async () => (await signing.gpg('--export', '--armor', key('rsa'))).subarray(0, 500)],
    ['with a torn key', async () => (await signing.gpg('--export', key('rsa'))).subarray(0, 200)],
    [
      'with text between blocks',
      async () => Buffer.from(`${await signing.gpg('--export', '--armor', key('rsa'))}bob\n`),
    ],
  ];
  for (const [name, bytes] of table) {
    test(name, async () => {
      const of: SignerFiles = { openpgp: { keys: [{ name: 'x', file: 'x.asc', bytes: await bytes() }], revoked: [] } };
      assert.equal(await weSay(signed.oid, of), 'SIGNERS_OPENPGP_KEYS');
    });
  }

  test('with a key that another file has too', async () => {
    const { openpgp } = await files(['rsa']);
    const [file] = openpgp?.keys ?? [];
    assert.ok(file);
    const twice: SignerFiles = { openpgp: { keys: [file, { ...file, name: 'bob' }], revoked: [] } };
    assert.equal(await weSay(signed.oid, twice), 'SIGNERS_OPENPGP_KEYS');
  });
});
