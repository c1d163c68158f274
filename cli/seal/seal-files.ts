import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { sealPlaintext } from '../../core/format/edit/seal.ts';
import type { Manifest, ManifestFile } from '../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import type { SealingKey } from '../../core/format/sealed/stanza.ts';
import { checkSecretType } from '../input/secret-types.ts';
import { valueWarnings } from '../input/value-warnings.ts';
import { sealingKeysFor } from '../workspace/sealing-keys.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { Workspaces } from '../workspace/workspaces.ts';
import { plaintextOf } from './plaintext-entries.ts';

export type SealOutcome = { file: string; sealed: string[] } | { file: string; error: unknown };

/** Writes wait for the disk (fsync). Up to this many wait while the next files are sealed. */
const WAITING_WRITES = 16;

/** Seals files in place. Repositories and keys are read once, however many files there are. */
export class FileSealer {
  readonly #warn: (message: string) => void;
  readonly #workspaces = new Workspaces();
  readonly #keys = new Map<string, Promise<SealingKey[]>>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** One outcome a file, in the order given; a file that is named twice is sealed once. */
  async *sealAll(files: readonly string[]): AsyncIterable<SealOutcome> {
    await sodiumReady();
    const waiting: SealedFile[] = [];
    for (const file of await distinct(files)) {
      waiting.push(await this.#seal(file));
      const first = waiting.length > WAITING_WRITES ? waiting.shift() : undefined;
      if (first !== undefined) yield await first.outcome;
    }
    for (const { outcome } of waiting) yield await outcome;
  }

  async #seal(file: string): Promise<SealedFile> {
    try {
      const bytes = await readFile(file);
      const { text, sealed } = file.endsWith('.ejson')
        ? await sealEjson(bytes, file)
        : await this.#sealManifests(bytes, file);
      const written = sealed.length === 0 ? Promise.resolve() : writeFileAtomically(file, text);
      bytes.fill(0);
      return {
        outcome: written.then(
          () => ({ file, sealed }),
          (error: unknown) => ({ file, error }),
        ),
      };
    } catch (error) {
      return { outcome: Promise.resolve({ file, error }) };
    }
  }

  async #sealManifests(bytes: Buffer, file: string): Promise<{ text: string; sealed: string[] }> {
    const read = readManifestFile(bytes, file);
    if (read.manifests.length === 0) throw noManifest(file);
    const waiting = read.manifests.filter((manifest) => plaintextOf(manifest).size > 0);
    if (waiting.length === 0) return { text: read.text, sealed: [] };
    for (const manifest of waiting) this.#check(read, manifest);

    const workspace = await this.#workspaces.of(file);
    const keys = new Map<Manifest, SealingKey[]>();
    for (const manifest of waiting) keys.set(manifest, await this.#keysFor(workspace, manifest.recipients));
    const { text, sealed } = sealPlaintext(read, (manifest) => keys.get(manifest) ?? []);
    for (const manifest of waiting) for (const value of plaintextOf(manifest).values()) value.fill(0);
    const several = read.manifests.length > 1;
    return { text, sealed: sealed.map(({ manifest, entry }) => (several ? `${manifest.name}/${entry}` : entry)) };
  }

  #check(file: ManifestFile, manifest: Manifest): void {
    const values = plaintextOf(manifest);
    const place = { file: file.file, line: manifest.line };
    const warnings = [...values].flatMap(([entry, value]) => valueWarnings(entry, value));
    for (const warning of [...warnings, ...checkSecretType(manifest.type, values, place)]) {
      this.#warn(`${file.file}: ${warning}`);
    }
  }

  /** Most manifests of a folder have the same recipients: they are looked up, and asked about, once. */
  #keysFor(workspace: Workspace, recipients: readonly string[]): Promise<SealingKey[]> {
    const which = [workspace.root, ...recipients].join('\n');
    const known = this.#keys.get(which) ?? sealingKeysFor(workspace, recipients);
    this.#keys.set(which, known);
    return known;
  }
}

interface SealedFile {
  /** Settles when the file is on disk; never rejects. */
  outcome: Promise<SealOutcome>;
}

async function sealEjson(bytes: Buffer, file: string): Promise<{ text: string; sealed: string[] }> {
  const { encryptEjson } = await import('../../core/ejson/encrypter.ts');
  const { text, sealed } = encryptEjson(bytes, file);
  return { text, sealed: sealed === 0 ? [] : [sealed === 1 ? '1 value' : `${sealed} values`] };
}

function noManifest(file: string): CofferError {
  return new CofferError('MANIFEST_NONE', 'the file holds no EncryptedSecret, so nothing in it was sealed', {
    advice: 'Name manifests. To make one of a Kubernetes Secret: coffer new NAMESPACE/NAME --from-stdin < FILE',
    data: { file },
  });
}

async function distinct(files: readonly string[]): Promise<string[]> {
  const seen = new Map<string, string>();
  for (const file of files) {
    const real = await realFile(file);
    if (!seen.has(real)) seen.set(real, file);
  }
  return [...seen.values()];
}

/** A path that cannot be resolved is reported when the file is read. */
async function realFile(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return resolve(file);
    throw error;
  }
}
