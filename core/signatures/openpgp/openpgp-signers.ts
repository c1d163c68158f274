import type { Config, PublicKey, SignaturePacket, Subkey } from 'openpgp';
import { CofferError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import type { Signer } from '../signer.ts';
import { type Library, type NamedKeys, readKeyFile, type SignerKey } from './key-file.ts';

export interface OpenPgpSignerFiles {
  keys: readonly NamedKeys[];
  /** Fingerprints of keys and subkeys, in upper case. */
  revoked: readonly string[];
}

/** How far the signer's clock may be ahead of this one. */
const SKEW = 24 * 60 * 60 * 1000;

/** Whose OpenPGP signatures count. */
export class OpenPgpSigners {
  readonly #library: Library;
  readonly #config: Config;
  readonly #revoked: ReadonlySet<string>;
  /** By the IDs of keys and subkeys, in hexadecimal. */
  readonly #byId: ReadonlyMap<string, SignerKey>;

  private constructor(library: Library, config: Config, keys: ReadonlyMap<string, SignerKey>, revoked: Set<string>) {
    this.#library = library;
    this.#config = config;
    this.#byId = keys;
    this.#revoked = revoked;
  }

  /** Loads the library. @throws CofferError SIGNERS_OPENPGP_KEYS */
  static async read({ keys, revoked }: OpenPgpSignerFiles): Promise<OpenPgpSigners> {
    const library = await import('openpgp');
    // The library's own defaults refuse SHA-1 for messages, MD5 and RIPEMD everywhere, DSA, ElGamal and secp256k1.
    const config: Config = { ...library.config, minRSABits: 2048 };
    const byId = new Map<string, SignerKey>();
    for (const file of keys) {
      for (const found of await readKeyFile(library, file, config)) {
        for (const id of found.key.getKeyIDs().map((keyId) => keyId.toHex())) {
          if (byId.has(id)) throw twice(file.file, found.key);
          byId.set(id, found);
        }
      }
    }
    return new OpenPgpSigners(library, config, byId, new Set(revoked));
  }

  /** @throws CofferError SIGNATURE_… */
  async verify(payload: Buffer, text: Buffer, now: Date): Promise<Signer> {
    const signature = await this.#readSignature(text);
    const found = this.#byId.get(signature.issuerKeyID.toHex());
    const [issuer] = found?.key.getKeys(signature.issuerKeyID) ?? [];
    if (found === undefined || issuer === undefined) {
      const id = signature.issuerKeyID.toHex().toUpperCase();
      throw refusal('SIGNATURE_SIGNER_UNKNOWN', `the OpenPGP key ${id} is not among the signers`);
    }
    const fingerprint = found.key.getFingerprint().toUpperCase();
    for (const each of [fingerprint, issuer.getFingerprint().toUpperCase()]) {
      if (this.#revoked.has(each) || found.revoked.has(each)) {
        throw refusal('SIGNATURE_KEY_REVOKED', `the OpenPGP key ${each} is revoked`);
      }
    }
    // The commit's own date, and the signature's, prove nothing: only a clock that is a little ahead is made up for.
    const at = new Date(Math.max(now.getTime(), signature.created?.getTime() ?? Number.POSITIVE_INFINITY));
    if (!(at.getTime() <= now.getTime() + SKEW)) {
      throw refusal('SIGNATURE_KEY_NOT_VALID', 'the OpenPGP signature is dated more than a day ahead');
    }
    await this.#requireValid(found.key, issuer, signature, at);
    await this.#requireGood(issuer, signature, payload, at);
    return { names: [found.name], key: fingerprint, format: 'openpgp' };
  }

  /** Exactly one signature, over bytes: the other kinds sign nothing, or text whose line ends do not count. */
  async #readSignature(text: Buffer): Promise<SignaturePacket> {
    const { SignaturePacket, enums, readSignature } = this.#library;
    const armoredSignature = text.toString('utf8');
    const { packets } = await readSignature({ armoredSignature, config: this.#config }).catch((cause) => {
      throw refusal('SIGNATURE_MALFORMED', 'the OpenPGP signature cannot be read', cause);
    });
    const [signature] = packets;
    if (packets.length !== 1 || !(signature instanceof SignaturePacket)) {
      throw refusal('SIGNATURE_MALFORMED', 'there is not exactly one OpenPGP signature');
    }
    if (signature.signatureType !== enums.signature.binary) {
      throw refusal('SIGNATURE_MALFORMED', 'the OpenPGP signature is of a kind that git does not make');
    }
    if (signature.hashAlgorithm === null || this.#isWeak(signature.hashAlgorithm)) {
      throw refusal('SIGNATURE_ALGORITHM', 'the OpenPGP signature uses a weak hash');
    }
    return signature;
  }

  #isWeak(hash: NonNullable<SignaturePacket['hashAlgorithm']>): boolean {
    return this.#config.rejectHashAlgorithms.has(hash) || this.#config.rejectMessageHashAlgorithms.has(hash);
  }

  async #requireValid(key: PublicKey, issuer: PublicKey | Subkey, signature: SignaturePacket, at: Date): Promise<void> {
    const fingerprint = issuer.getFingerprint().toUpperCase();
    try {
      await key.getSigningKey(issuer.getKeyID(), at, undefined, this.#config);
    } catch (cause) {
      const message = `the OpenPGP key ${fingerprint} is expired, too weak, or not for signing`;
      throw refusal('SIGNATURE_KEY_NOT_VALID', message, cause);
    }
    if (signature.created === null || issuer.getCreationTime() > signature.created) {
      throw refusal('SIGNATURE_KEY_NOT_VALID', `the OpenPGP key ${fingerprint} is younger than the signature`);
    }
    if (signature.isExpired(at)) throw refusal('SIGNATURE_KEY_NOT_VALID', 'the OpenPGP signature is expired');
  }

  async #requireGood(issuer: PublicKey | Subkey, signature: SignaturePacket, payload: Buffer, at: Date): Promise<void> {
    const { createMessage, enums } = this.#library;
    const message = await createMessage({ binary: payload });
    const [literal] = message.packets;
    try {
      if (literal === undefined) throw new TypeError('a message without data');
      await signature.verify(issuer.keyPacket, enums.signature.binary, literal, at, true, this.#config);
    } catch (cause) {
      const fingerprint = issuer.getFingerprint().toUpperCase();
      throw refusal('SIGNATURE_BAD', `the signature by ${fingerprint} does not fit what it signs`, cause);
    }
  }
}

function twice(file: string, key: PublicKey): CofferError {
  const fingerprint = key.getFingerprint().toUpperCase();
  return new CofferError('SIGNERS_OPENPGP_KEYS', `${file} has the key ${fingerprint}, which another file has too`, {
    advice: 'Keep each key in one file, under one name.',
    data: { file },
  });
}
