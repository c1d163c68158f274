import type { Config, PublicKey, SignaturePacket, Subkey } from 'openpgp';
import { CofferError } from '../../errors.ts';
import { LARGEST_FILE, type SignersFile } from '../signers-file.ts';

export type Library = typeof import('openpgp');

/** A signer's file: its keys are this signer's, people may have several. */
export type NamedKeys = { name: string } & SignersFile;

/** A public key that may sign, with what its own revocations say. */
export interface SignerKey {
  name: string;
  key: PublicKey;
  /** Of the key and its subkeys, in upper case; those that a revocation in the file names. */
  revoked: ReadonlySet<string>;
}

const BEGIN = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const END = '-----END PGP PUBLIC KEY BLOCK-----';

/**
 * Reads public keys, binary or armored, one block or several. A revocation certificate counts when it stands behind its
 * key, as a block of its own too.
 *
 * @throws CofferError SIGNERS_OPENPGP_KEYS
 */
export async function readKeyFile(library: Library, file: NamedKeys, config: Config): Promise<SignerKey[]> {
  const refuse = (what: string, cause?: unknown): CofferError =>
    new CofferError('SIGNERS_OPENPGP_KEYS', `${file.file} has ${what}`, {
      advice: 'Write the public key again: `gpg --export --armor KEY`.',
      data: { file: file.file },
      ...(cause !== undefined && { cause }),
    });
  if (file.bytes.length > LARGEST_FILE) throw refuse('more than 16 MiB');
  const keys = await parsed(library, file.bytes, config, refuse);
  if (keys.length === 0) throw refuse('no key');
  return Promise.all(
    keys.map(async (key) => ({ name: file.name, key, revoked: await revokedOf(key, config, refuse) })),
  );
}

type Refuse = (what: string, cause?: unknown) => CofferError;

async function parsed(library: Library, bytes: Buffer, config: Config, refuse: Refuse): Promise<PublicKey[]> {
  const text = bytes.toString('latin1');
  // Binary packets have the high bit of their first byte set (RFC 9580 §4.2).
  const isArmored = (bytes[0] ?? 0) < 0x80;
  const blocks = isArmored ? armoredBlocks(text, refuse) : [];
  try {
    const binary = isArmored
      ? await Promise.all(blocks.map(async (block) => Buffer.from(await binaryOf(library, block, config))))
      : [bytes];
    const keys = await library.readKeys({ binaryKeys: Buffer.concat(binary), config });
    if (keys.some((key) => key.isPrivate())) throw refuse('a private key, which nobody but its owner should have');
    if (keys.some((key) => key.users.length === 0)) throw refuse('a key without a user ID');
    return keys;
  } catch (error) {
    throw error instanceof CofferError ? error : refuse('no OpenPGP keys that can be read', error);
  }
}

async function binaryOf(library: Library, block: string, config: Config): Promise<Uint8Array> {
  const { data } = await library.unarmor(block, config);
  // What is unarmored from a string is not a stream, which the types leave open.
  if (!(data instanceof Uint8Array)) return new Uint8Array(await new Response(data).arrayBuffer());
  return data;
}

/** What stands between blocks is not signed by anything; only blank lines and comments are let through. */
function armoredBlocks(text: string, refuse: Refuse): string[] {
  const blocks: string[][] = [];
  let isWithin = false;
  for (const line of text.split(/\r?\n/)) {
    if (isWithin || line.trimEnd() === BEGIN) {
      if (!isWithin) blocks.push([]);
      blocks.at(-1)?.push(line.trimEnd());
      isWithin = line.trimEnd() !== END;
    } else if (line.trim() !== '' && !line.startsWith('#')) {
      throw refuse('something beside its blocks of public keys');
    }
  }
  if (isWithin) throw refuse('a block that does not end');
  return blocks.map((block) => `${block.join('\n')}\n`);
}

/**
 * Revocations count for ever, whatever their date, reason and hash: the library passes over those with a weak hash, or of
 * another key, which would leave the key good.
 */
async function revokedOf(key: PublicKey, config: Config, refuse: Refuse): Promise<ReadonlySet<string>> {
  const anyHash: Config = { ...config, rejectHashAlgorithms: new Set() };
  const revoked = new Set<string>();
  const { keyPacket } = key;
  for (const holder of [key, ...key.subkeys]) {
    const data = holder === key ? { key: keyPacket } : { key: keyPacket, bind: holder.keyPacket };
    for (const revocation of holder.revocationSignatures) {
      await requireOwn(revocation, key, holder, data, anyHash, refuse);
      revoked.add(holder.getFingerprint().toUpperCase());
    }
  }
  return revoked;
}

async function requireOwn(
  revocation: SignaturePacket,
  key: PublicKey,
  holder: PublicKey | Subkey,
  data: object,
  config: Config,
  refuse: Refuse,
): Promise<void> {
  try {
    if (revocation.signatureType === null) throw new TypeError('a signature without a type');
    await revocation.verify(
      key.keyPacket,
      revocation.signatureType,
      data,
      revocation.created ?? undefined,
      false,
      config,
    );
  } catch (cause) {
    throw refuse(
      `a revocation after the key ${holder.getFingerprint().toUpperCase()} that belongs to another key`,
      cause,
    );
  }
}
