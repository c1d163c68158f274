import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { SigningTree, sshFiles, withSignature } from './signing-tree.ts';
import { mpint, type SshSignatureParts, sshSignature, string, uint32 } from './wire.ts';

/** SSH signatures that ssh-keygen does not make: of security keys, which need hardware, and such as are wrong. */

let signing: SigningTree;
let payload: string;

before(async () => {
  signing = await SigningTree.create();
  await signing.sshKey('any');
  payload = signing
    .raw(await signing.commit('any'))
    .toString('latin1')
    .replace(/gpgsig [\s\S]*?-----END SSH SIGNATURE-----\n/, '');
});
after(() => signing.remove());

interface Key {
  /** As SSH writes it. */
  blob: Buffer;
  type: string;
  privateKey: KeyObject;
}

const jwk = (key: KeyObject, part: 'x' | 'y' | 'n' | 'e'): Buffer =>
  Buffer.from(String(key.export({ format: 'jwk' })[part]), 'base64url');

function ed25519(application?: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const type = application === undefined ? 'ssh-ed25519' : 'sk-ssh-ed25519@openssh.com';
  const fields = [type, jwk(publicKey, 'x'), ...(application === undefined ? [] : [application])];
  return { type, privateKey, blob: Buffer.concat(fields.map(string)) };
}

function ecdsa(application?: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const type = application === undefined ? 'ecdsa-sha2-nistp256' : 'sk-ecdsa-sha2-nistp256@openssh.com';
  const point = Buffer.concat([Buffer.of(4), jwk(publicKey, 'x'), jwk(publicKey, 'y')]);
  const fields = [type, 'nistp256', point, ...(application === undefined ? [] : [application])];
  return { type, privateKey, blob: Buffer.concat(fields.map(string)) };
}

function rsa(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const blob = Buffer.concat([string('ssh-rsa'), mpint(jwk(publicKey, 'e')), mpint(jwk(publicKey, 'n'))]);
  return { type: 'ssh-rsa', privateKey, blob };
}

const halvesOf = (signature: Buffer) => [signature.subarray(0, 32), signature.subarray(32)].map((half) => mpint(half));

function proper({ type, privateKey }: Key, data: Buffer): Buffer {
  if (type.includes('ed25519')) return sign(null, data, privateKey);
  return Buffer.concat(halvesOf(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })));
}

const plain = (key: Key) => (data: Buffer) => Buffer.concat([string(key.type), string(proper(key, data))]);

/** What an authenticator signs (PROTOCOL.u2f), in software; bit 0 of `flags`: touched, bit 2: its PIN was given. */
function authenticator(key: Key, flags: number, application = 'ssh:', claimed = flags) {
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();
  return (data: Buffer): Buffer => {
    const counter = uint32(41);
    const signed = Buffer.concat([sha256(application), Buffer.of(flags), counter, sha256(data)]);
    return Buffer.concat([string(key.type), string(proper(key, signed)), Buffer.of(claimed), counter]);
  };
}

interface Row {
  name: string;
  key: Key;
  sign: (data: Buffer) => Buffer;
  parts?: Partial<SshSignatureParts>;
  git: boolean;
  we: string;
  because?: string;
}

const keys = { ed25519: ed25519(), ecdsa: ecdsa(), rsa: rsa(), skEd25519: ed25519('ssh:'), skEcdsa: ecdsa('ssh:') };

const NO_TOUCH = 'allowed_signers cannot say no-touch-required, and malware on a laptop could sign at will';
const securityKeys: Row[] = [keys.skEd25519, keys.skEcdsa].flatMap((key): Row[] => [
  { name: `${key.type}, touched`, key, sign: authenticator(key, 1), git: true, we: 'good' },
  { name: `${key.type}, with its PIN`, key, sign: authenticator(key, 5), git: true, we: 'good' },
  {
    name: `${key.type}, over SHA-256`,
    key,
    sign: authenticator(key, 1),
    parts: { hash: 'sha256' },
    git: true,
    we: 'good',
  },
  {
    name: `${key.type}, not touched`,
    key,
    sign: authenticator(key, 0),
    git: true,
    we: 'SIGNATURE_NO_TOUCH',
    because: NO_TOUCH,
  },
  {
    name: `${key.type}, touch only said`,
    key,
    sign: authenticator(key, 0, 'ssh:', 1),
    git: false,
    we: 'SIGNATURE_BAD',
  },
  { name: `${key.type}, for a web site`, key, sign: authenticator(key, 1, 'x.org'), git: false, we: 'SIGNATURE_BAD' },
  { name: `${key.type}, without flags`, key, sign: plain(key), git: false, we: 'SIGNATURE_MALFORMED' },
]);

const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

/** The same signature for who does not compare the second half with the order of the group (RFC 8032 §5.1.7). */
function beyondOrder(signature: Buffer): Buffer {
  const half = Buffer.from(signature.subarray(32)).reverse();
  const larger = (BigInt(`0x${half.toString('hex')}`) + ORDER).toString(16).padStart(64, '0');
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(larger, 'hex').reverse()]);
}

const named = (type: string, signature: Buffer) => Buffer.concat([string(type), string(signature)]);
const ONE_FORM = 'every signature has one form here, so that a changed one never counts';

const crafted: Row[] = [
  { name: 'as it should be', key: keys.ed25519, sign: plain(keys.ed25519), git: true, we: 'good' },
  { name: 'ECDSA as it should be', key: keys.ecdsa, sign: plain(keys.ecdsa), git: true, we: 'good' },
  {
    name: 'RSA over SHA-256',
    key: keys.rsa,
    sign: (data) => named('rsa-sha2-256', sign('sha256', data, keys.rsa.privateKey)),
    git: true,
    we: 'good',
  },
  {
    name: 'RSA over SHA-1',
    key: keys.rsa,
    sign: (data) => named('ssh-rsa', sign('sha1', data, keys.rsa.privateKey)),
    git: false,
    we: 'SIGNATURE_ALGORITHM',
  },
  {
    name: 'RSA over another hash than it says',
    key: keys.rsa,
    sign: (data) => named('rsa-sha2-512', sign('sha256', data, keys.rsa.privateKey)),
    git: false,
    we: 'SIGNATURE_BAD',
  },
  {
    name: 'by the algorithm of another key',
    key: keys.ed25519,
    sign: (data) => named('ecdsa-sha2-nistp256', sign(null, data, keys.ed25519.privateKey)),
    git: false,
    we: 'SIGNATURE_ALGORITHM',
  },
  {
    name: 'Ed25519 with its second half beyond the order',
    key: keys.ed25519,
    sign: (data) => named('ssh-ed25519', beyondOrder(sign(null, data, keys.ed25519.privateKey))),
    git: true,
    we: 'SIGNATURE_BAD',
    because: ONE_FORM,
  },
  {
    name: 'Ed25519 with something behind',
    key: keys.ed25519,
    sign: (data) => Buffer.concat([plain(keys.ed25519)(data), Buffer.of(0)]),
    git: false,
    we: 'SIGNATURE_MALFORMED',
  },
  {
    name: 'Ed25519, cut short',
    key: keys.ed25519,
    sign: (data) => named('ssh-ed25519', sign(null, data, keys.ed25519.privateKey).subarray(0, 63)),
    git: false,
    we: 'SIGNATURE_BAD',
  },
  {
    name: 'ECDSA in DER',
    key: keys.ecdsa,
    sign: (data) => named('ecdsa-sha2-nistp256', sign('sha256', data, keys.ecdsa.privateKey)),
    git: false,
    we: 'SIGNATURE_MALFORMED',
  },
  {
    name: 'ECDSA with a longer number',
    key: keys.ecdsa,
    sign: (data) => {
      const [r, s] = halvesOf(sign('sha256', data, { key: keys.ecdsa.privateKey, dsaEncoding: 'ieee-p1363' }));
      const longer = string(Buffer.concat([Buffer.alloc(2), (r ?? Buffer.alloc(0)).subarray(4)]));
      return named('ecdsa-sha2-nistp256', Buffer.concat([longer, s ?? Buffer.alloc(0)]));
    },
    git: true,
    we: 'SIGNATURE_MALFORMED',
    because: ONE_FORM,
  },
  {
    name: 'ECDSA of zeros',
    key: keys.ecdsa,
    sign: () => named('ecdsa-sha2-nistp256', Buffer.concat([string(''), string('')])),
    git: false,
    we: 'SIGNATURE_MALFORMED',
  },
  ...(
    [
      ['something in the reserved field', { reserved: 'x' }, true, 'SIGNATURE_MALFORMED', ONE_FORM],
      ['version 0', { version: 0 }, true, 'SIGNATURE_MALFORMED', ONE_FORM],
      ['version 2', { version: 2 }, false, 'SIGNATURE_MALFORMED'],
      ['something behind its end', { trailing: Buffer.of(0) }, false, 'SIGNATURE_MALFORMED'],
      ['another namespace', { namespace: 'git2' }, false, 'SIGNATURE_NAMESPACE'],
      ['no namespace', { namespace: '' }, false, 'SIGNATURE_MALFORMED'],
      ['SHA-384', { hash: 'sha384' }, false, 'SIGNATURE_ALGORITHM'],
      ['SHA-1', { hash: 'sha1' }, false, 'SIGNATURE_ALGORITHM'],
    ] as const
  ).map(
    ([name, parts, git, we, because]): Row => ({
      name,
      key: keys.ed25519,
      sign: plain(keys.ed25519),
      parts,
      git,
      we,
      ...(because !== undefined && { because }),
    }),
  ),
];

for (const [title, rows] of [
  ['a signature by a security key', securityKeys],
  ['a crafted signature', crafted],
] as const) {
  describe(title, () => {
    for (const { name, key, sign, parts, git, we, because } of rows) {
      test(`${name}${because === undefined ? '' : ` (we differ: ${because})`}`, async () => {
        const armored = sshSignature(Buffer.from(payload, 'latin1'), { publicKey: key.blob, sign, ...parts });
        const oid = await signing.write('commit', withSignature(payload, armored));
        const allowed = `ada@example.org ${key.type} ${key.blob.toString('base64')}\n`;
        const said = { git: await signing.gitSays(oid, { allowed }), we: await signing.weSay(oid, sshFiles(allowed)) };
        assert.deepEqual(said, { git, we });
        if (because === undefined) assert.equal(git, we === 'good');
      });
    }
  });
}
