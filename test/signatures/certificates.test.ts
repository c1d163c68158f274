import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import { Signers } from '../../core/signatures/signers.ts';
import { SigningTree, sshFiles, withSignature } from './signing-tree.ts';

/** Commits signed with certificates of ssh-keygen: what git says of them, and what we say. */

let signing: SigningTree;
let payload: string;
let key: string;
/** Public keys of authorities. */
const authorities = new Map<string, string>();

before(async () => {
  signing = await SigningTree.create();
  key = await signing.sshKey('ada');
  for (const [name, type, bits] of [
    ['ca', 'ed25519', 256],
    ['rsa-ca', 'rsa', 2048],
    ['ecdsa-ca', 'ecdsa', 384],
    ['other-ca', 'ed25519', 256],
  ] as const) {
    authorities.set(name, await signing.sshKey(name, type, bits));
  }
  payload = signing
    .raw(await signing.commit('ada'))
    .toString('latin1')
    .replace(/gpgsig [\s\S]*?-----END SSH SIGNATURE-----\n/, '');
});
after(() => signing.remove());

interface Row {
  name: string;
  by?: string;
  /** Options of `ssh-keygen -s`. */
  certify?: string[];
  /** What stands in front of the authority among the signers. */
  line?: string;
  revoked?: () => Promise<string | Buffer>;
  git: boolean;
  we: string;
  because?: string;
}

const user = ['-n', 'ada@example.org', '-V', '-1d:+52w'];

const rows: Row[] = [
  { name: 'for a principal', git: true, we: 'good' },
  { name: 'by an RSA authority', by: 'rsa-ca', git: true, we: 'good' },
  { name: 'by an ECDSA authority', by: 'ecdsa-ca', git: true, we: 'good' },
  { name: 'for ever', certify: ['-n', 'ada@example.org'], git: true, we: 'good' },
  { name: 'for others too', certify: ['-n', 'root,ada@example.org,bob'], git: true, we: 'good' },
  { name: 'for another principal', certify: ['-n', 'bob'], git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  { name: 'for a negated principal', line: '!ada@example.org,*', git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  { name: 'without principals', certify: [], git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  {
    name: 'expired',
    certify: ['-n', 'ada@example.org', '-V', '20200101:20210101'],
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  {
    name: 'not valid yet',
    certify: ['-n', 'ada@example.org', '-V', '29000101:29990101'],
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  { name: 'for a host', certify: ['-h', '-n', 'ada@example.org'], git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  {
    name: 'with a critical option',
    certify: [...user, '-O', 'force-command=/bin/true'],
    git: true,
    we: 'SIGNATURE_KEY_NOT_VALID',
    because: 'such a certificate was not made to sign for its principal without limits',
  },
  {
    name: 'by an authority for files',
    line: '*@example.org namespaces="file"',
    git: false,
    we: 'SIGNATURE_KEY_NOT_VALID',
  },
  { name: 'by an expired authority', line: '* valid-before="20200101"', git: false, we: 'SIGNATURE_KEY_NOT_VALID' },
  { name: 'of a revoked key', revoked: async () => key, git: false, we: 'SIGNATURE_KEY_REVOKED' },
  { name: 'of a revoked authority', revoked: async () => authority('ca'), git: false, we: 'SIGNATURE_KEY_REVOKED' },
  { name: 'with a revoked serial', revoked: () => krl('serial: 42'), git: false, we: 'SIGNATURE_KEY_REVOKED' },
  {
    name: 'with a serial in a revoked range',
    revoked: () => krl('serial: 7-100000'),
    git: false,
    we: 'SIGNATURE_KEY_REVOKED',
  },
  {
    name: 'with a serial in a revoked bitmap',
    revoked: () => krl(serials(1)),
    git: false,
    we: 'SIGNATURE_KEY_REVOKED',
  },
  { name: 'with a serial beside those of a bitmap', revoked: () => krl(serials(0)), git: true, we: 'good' },
  { name: 'with a revoked ID', revoked: () => krl('id: ada-1'), git: false, we: 'SIGNATURE_KEY_REVOKED' },
  {
    name: 'with an ID that another authority has revoked',
    revoked: () => krl('id: ada-1', 'other-ca'),
    git: true,
    we: 'good',
  },
  {
    name: 'with other serials and IDs revoked',
    revoked: () => krl('serial: 43-99\nserial: 1\nid: ada-2'),
    git: true,
    we: 'good',
  },
  { name: 'of a key that a KRL names', revoked: () => krl(`sha256: ${key}`), git: false, we: 'SIGNATURE_KEY_REVOKED' },
];

const authority = (name: string) => authorities.get(name) ?? assert.fail(name);
/** Every second serial around 42, or the others: written as a bitmap. */
const serials = (odd: 0 | 1) => Array.from({ length: 60 }, (_, index) => `serial: ${2 * index + 1 + odd}`).join('\n');

async function krl(specification: string, by = 'ca'): Promise<Buffer> {
  await writeFile(signing.file('spec'), `${specification}\n`);
  await signing.sshKeygen('-q', '-k', '-f', 'krl', '-s', `${by}.pub`, 'spec');
  return readFile(signing.file('krl'));
}

async function signWith(by: string, certify: string[]): Promise<string> {
  await signing.sshKeygen('-q', '-s', by, '-I', 'ada-1', '-z', '42', ...certify, 'ada.pub');
  return signing.sshSign('ada-cert.pub', Buffer.from(payload, 'latin1'));
}

describe('a certificate', () => {
  for (const row of rows) {
    test(`${row.name}${row.because === undefined ? '' : ` (we differ: ${row.because})`}`, async () => {
      const { by = 'ca', certify = user, line = '*@example.org' } = row;
      const oid = await signing.write('commit', withSignature(payload, await signWith(by, certify)));
      const [principals, ...options] = line.split(' ');
      const allowed = `${principals} ${['cert-authority', ...options].join(',')} ${authority(by)}\n`;
      const revoked = await row.revoked?.();
      const git = await signing.gitSays(oid, { allowed, ...(revoked !== undefined && { revoked }) });
      assert.deepEqual({ git, we: await signing.weSay(oid, sshFiles(allowed, revoked)) }, { git: row.git, we: row.we });
      if (row.because === undefined) assert.equal(row.git, row.we === 'good');
    });
  }

  test('counts only by an authority that is one', async () => {
    const oid = await signing.write('commit', withSignature(payload, await signWith('ca', user)));
    const table: [string, string][] = [
      [`* ${authority('ca')}\n`, 'SIGNATURE_SIGNER_UNKNOWN'],
      [`* cert-authority ${authority('other-ca')}\n`, 'SIGNATURE_SIGNER_UNKNOWN'],
      [`* ${key}\n`, 'SIGNATURE_SIGNER_UNKNOWN'],
      [`* cert-authority ${key}\n* cert-authority ${authority('ca')}\n`, 'good'],
    ];
    for (const [allowed, we] of table) {
      assert.equal(await signing.gitSays(oid, { allowed }), we === 'good', allowed);
      assert.equal(await signing.weSay(oid, sshFiles(allowed)), we, allowed);
    }
  });

  test('counts with no bit of it changed, and its names are its own', async () => {
    const armored = await signWith('ca', ['-n', 'ada@example.org,eve@example.com,a b@example.org']);
    const base64 = armored.split('\n').slice(1, -2).join('');
    const blob = Buffer.from(base64, 'base64');
    const allowed = `*@example.org cert-authority ${authority('ca')}\n`;
    const signers = await Signers.read(sshFiles(allowed));
    const judge = (bytes: Buffer) => {
      const text = `-----BEGIN SSH SIGNATURE-----\n${bytes.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
      return signers.verify(readSigned('commit', '1'.repeat(40), withSignature(payload, text)), new Date());
    };
    const judged = await judge(blob);
    assert.deepEqual(judged.outcome === 'good' && judged.signer.names, ['ada@example.org']);
    const [, fingerprint] = (await signing.sshKeygen('-l', '-f', 'ada.pub')).split(' ');
    assert.equal(judged.outcome === 'good' && judged.signer.key, fingerprint);
    for (let at = 0; at < blob.length; at += 1) {
      const changed = Buffer.from(blob);
      changed.writeUInt8(changed.readUInt8(at) ^ 4, at);
      assert.equal((await judge(changed)).outcome, 'refused', `byte ${at}`);
    }
  });
});
