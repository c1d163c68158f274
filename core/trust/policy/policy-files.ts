import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { TrustPolicy } from '../../../schemas/trust-policy.ts';
import { CofferError } from '../../errors.ts';
import { fromSystemError } from '../../files/system-error.ts';
import { readDocuments } from '../../format/document/document.ts';
import { schemaProblems } from '../../format/document/document-schema.ts';
import type { SignerFiles, SignersFile } from '../../signatures/signers.ts';

/** A policy with the files that it names, as they were at one moment. */
export interface PolicyFiles {
  spec: TrustPolicy['spec'];
  signers: SignerFiles;
  /** Over all bytes. */
  digest: string;
  /** Absolute, the policy first. */
  names: readonly string[];
}

/** A list of keys or revocations with more bytes than this is a mistake. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** To replace files takes milliseconds; who does it for longer is waited for until the next look. */
const READINGS = 4;
/** Milliseconds between readings that differ. */
const PAUSE = 50;

/**
 * Reads until two readings in a row agree: a ConfigMap's files are replaced while they are read, and the signers of one set must
 * not be judged by the grants of another. Throws `TRUST_POLICY_KIND`, `TRUST_POLICY_FILE`, `DOCUMENT_…`.
 */
export async function readPolicyFiles(file: string): Promise<PolicyFiles> {
  let former = await readOnce(file);
  for (let readings = 1; readings < READINGS; readings++) {
    const next = await readOnce(file);
    if (next instanceof CofferError) {
      if (former instanceof CofferError && former.message === next.message) throw next;
    } else if (!(former instanceof CofferError) && former.digest === next.digest) {
      return next;
    }
    former = next;
    await setTimeout(PAUSE);
  }
  throw new CofferError('TRUST_POLICY_FILE', 'the files of the trust policy are being replaced', {
    advice: 'Wait until all of them are in place; what was accepted stays until then.',
    data: { file },
    loop: 'retry',
  });
}

/** Gives back an error too: half of one set and half of another may be no policy at all. */
async function readOnce(file: string): Promise<PolicyFiles | CofferError> {
  const reading = new Reading();
  const path = resolve(file);
  try {
    const { spec } = policyDocument(await reading.read(path, file), file);
    const signers = await signerFiles(spec.signers, (name) => reading.signers(resolve(dirname(path), name)));
    return { spec, signers, digest: reading.digest(), names: reading.names() };
  } catch (error) {
    if (error instanceof CofferError) return error;
    throw error;
  }
}

function policyDocument(bytes: Buffer, file: string): TrustPolicy {
  const [document, ...others] = readDocuments(bytes, file).documents;
  if (document?.kind !== 'TrustPolicy' || others.length > 0) {
    throw new CofferError('TRUST_POLICY_KIND', 'this file is not one document of kind TrustPolicy', {
      advice: 'Begin it with `apiVersion: coffer.dev/v1` and `kind: TrustPolicy`; docs/trust.md shows a whole one.',
      data: { file },
    });
  }
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  return document.value as TrustPolicy;
}

async function signerFiles(
  wanted: TrustPolicy['spec']['signers'],
  read: (name: string) => Promise<SignersFile>,
): Promise<SignerFiles> {
  const { ssh, openpgp } = wanted ?? {};
  const files: SignerFiles = {};
  if (ssh !== undefined) {
    files.ssh = { allowedSigners: await read(ssh.allowedSigners) };
    if (ssh.revoked !== undefined) files.ssh.revoked = await read(ssh.revoked);
  }
  if (openpgp !== undefined) {
    const keys = [];
    for (const { name, file } of openpgp.keys) keys.push({ name, ...(await read(file)) });
    files.openpgp = { keys, revoked: openpgp.revoked ?? [] };
  }
  return files;
}

class Reading {
  readonly #hashes = new Map<string, string>();

  async signers(path: string): Promise<SignersFile> {
    return { file: path, bytes: await this.read(path, path) };
  }

  async read(path: string, shown: string): Promise<Buffer> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw notReadable(shown, fromSystemError(cause)?.message ?? 'it cannot be read', cause);
    });
    if (bytes.length > LARGEST_FILE) throw notReadable(shown, 'it is larger than 16 MiB');
    this.#hashes.set(path, createHash('sha256').update(bytes).digest('hex'));
    return bytes;
  }

  names(): string[] {
    return [...this.#hashes.keys()];
  }

  /** Names and contents: which file is the list of signers and which the revocations matters. */
  digest(): string {
    return createHash('sha256')
      .update(JSON.stringify([...this.#hashes]))
      .digest('hex');
  }
}

function notReadable(file: string, why: string, cause?: unknown): CofferError {
  return new CofferError('TRUST_POLICY_FILE', `a file of the trust policy: ${why}`, {
    advice: 'Put the file back, or correct its path in the policy; what was accepted stays until then.',
    data: { file },
    cause,
  });
}
