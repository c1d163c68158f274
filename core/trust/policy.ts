import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Subject, TrustPolicy } from '../../schemas/trust-policy.ts';
import { CofferError } from '../errors.ts';
import { fromSystemError } from '../files/system-error.ts';
import { readDocuments } from '../format/document/document.ts';
import { schemaProblems } from '../format/document/document-schema.ts';
import { requestFile } from '../requests/request.ts';
import type { Signer } from '../signatures/signer.ts';
import { type SignerFiles, Signers, type SignersFile } from '../signatures/signers.ts';
import { Grants } from './grants.ts';
import { ReachRules } from './reach-rules.ts';

/** A TrustPolicy with the files that it names. */
export interface Policy {
  /** The file that it was read from, as errors name it. */
  file: string;
  /** Over the bytes of all its files: another one means that something in them changed. */
  digest: string;
  /** All files that it was made of, absolute: what to look at for changes. */
  files: readonly string[];
  signers: Pick<Signers, 'verify'>;
  /** Whether some grant has this signer, path and subject; where the policy has no grants, every signer may all. */
  mayChange(signer: Signer, path: string, subject: Subject): boolean;
  /** Who may, for people: the signers of the grants that have this path and subject; `['*']`: every signer. Empty: nobody. */
  whoMay(path: string, subject: Subject): readonly string[];
  /** Whose endorsement of such a change counts: who may endorse, and change any of these subjects there (none: any signer may). */
  whoEndorses(path: string, subjects: readonly Subject[]): readonly string[];
  /** Whether it has rules for namespaces at all. */
  hasNamespaces: boolean;
  /** Whether a manifest at this path may write to this namespace, or to all that this glob of namespaces stands for. */
  mayWriteTo(path: string, namespace: string): boolean;
}

/** A list of keys or revocations with more bytes than this is a mistake. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** Throws `TRUST_POLICY_KIND`, `TRUST_POLICY_FILE`, `SIGNERS_…`, `DOCUMENT_…` with file and line. */
export async function readPolicy(file: string): Promise<Policy> {
  const files = new PolicyFiles();
  const path = resolve(file);
  const { spec } = policyDocument(await files.read(path, file), file);
  const from = (name: string) => resolve(dirname(path), name);
  const signers = await Signers.read(await signerFiles(spec.signers, (name) => files.signers(from(name))));
  const grants = new Grants(spec.grants);
  const reach = new ReachRules(spec.namespaces);
  return {
    file,
    digest: files.digest(),
    files: files.names(),
    signers,
    mayChange: (signer, changed, subject) => grants.allow(signer, changed, subject),
    whoMay: (changed, subject) => grants.holders([changed, subject]),
    whoEndorses: (changed, subjects) => endorsersBy(grants, changed, subjects),
    hasNamespaces: spec.namespaces !== undefined,
    mayWriteTo: (manifest, namespace) => reach.allow(manifest, namespace),
  };
}

/** `endorse` is about the file of the endorsement, not about the one that it endorses a change of. */
export function endorsersBy(grants: Grants, path: string, subjects: readonly Subject[]): readonly string[] {
  const endorse = [requestFile('endorse-0'), 'endorse'] as const;
  if (subjects.length === 0) return grants.holders(endorse);
  return [...new Set(subjects.flatMap((subject) => grants.holders(endorse, [path, subject])))];
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

class PolicyFiles {
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
