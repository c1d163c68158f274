import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { plaintextView, restoreSealed } from '../../core/format/edit/plaintext-view.ts';
import { sealPlaintext } from '../../core/format/edit/seal.ts';
import type { Manifest, ManifestFile } from '../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import type { SealingKey } from '../../core/format/sealed/stanza.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';
import { checkSecretType } from '../input/secret-types.ts';
import { valueWarnings } from '../input/value-warnings.ts';
import { plaintextOf } from '../seal/plaintext-entries.ts';
import { readManifests, writeManifests } from '../workspace/manifest-file.ts';
import { type OpenerFlags, openKeysFor } from '../workspace/open-keys.ts';
import { sealingKeysFor } from '../workspace/sealing-keys.ts';
import { openWorkspaceOf } from '../workspace/workspace.ts';

/** What a person saved, sealed. */
export interface Sealed {
  text: string;
  sealed: string[];
  warnings: string[];
}

/** One edit of one file: what was opened, what is shown, and the way back to sealed text. */
export class EditSession {
  readonly #before: ManifestFile;
  readonly #values: ReadonlyMap<Manifest, ReadonlyMap<string, Buffer>>;
  /** Entries that stand as sealed text, and why. */
  readonly unopened: readonly { entry: string; reason: string }[];
  /** The text to edit: plaintext. */
  readonly shown: string;

  private constructor(before: ManifestFile, opener: Opener) {
    this.#before = before;
    const { values, refused } = openWhatOpens(before, opener);
    this.#values = values;
    try {
      const view = plaintextView(before, values, { stanzas: 'marked' });
      this.shown = view.text;
      this.unopened = view.stillSealed.map(({ manifest, entry }) => ({
        entry,
        reason: refused.get(manifest)?.get(entry) ?? 'it cannot be written as text',
      }));
    } catch (error) {
      this.wipe();
      throw error;
    }
  }

  static async open(file: string, flags: OpenerFlags): Promise<EditSession> {
    const before = await readManifests(file);
    const keys = await openKeysFor(file, flags);
    try {
      return new EditSession(before, keys.opener);
    } finally {
      keys.close();
    }
  }

  get file(): string {
    return this.#before.file;
  }

  /** Undefined: what was saved says what the file says already. Throws CofferError where it is not a valid file. */
  async seal(edited: string): Promise<Sealed | undefined> {
    if (edited === this.shown) return undefined;
    const read = (text: string) => readManifestFile(Buffer.from(text), this.file);
    // Once as it was saved, so that lines in errors are those that the editor shows.
    read(edited);
    const file = restoreSealed(this.#before, this.#values, edited, read);
    if (file.text === this.#before.text) return undefined;
    const keys = new Map<Manifest, readonly SealingKey[]>();
    const warnings: string[] = [];
    const workspace = await openWorkspaceOf(this.file);
    for (const manifest of file.manifests) {
      const changed = plaintextOf(manifest);
      if (changed.size === 0) continue;
      warnings.push(...[...changed].flatMap(([entry, value]) => valueWarnings(entry, value)));
      warnings.push(...checkSecretType(manifest.type, changed, { file: this.file, line: manifest.line }));
      keys.set(manifest, await sealingKeysFor(workspace, manifest.recipients));
    }
    const { text, sealed } = sealPlaintext(file, (manifest) => keys.get(manifest) ?? []);
    return { text, sealed: sealed.map(({ entry }) => entry), warnings };
  }

  /** Throws EDIT_FILE_CHANGED where somebody else wrote the file in the meantime. */
  async save(text: string): Promise<void> {
    if ((await readFile(this.file, 'utf8')) !== this.#before.text) {
      throw new CofferError(
        'EDIT_FILE_CHANGED',
        'the file was changed by somebody else while you edited; it was left as it is',
        {
          advice: 'Run `coffer edit` again.',
          data: { file: this.file },
        },
      );
    }
    await writeManifests(this.file, text);
  }

  wipe(): void {
    for (const values of this.#values.values()) for (const value of values.values()) value.fill(0);
  }
}

/** The plaintext, under the name of the file so that the editor knows its syntax; mode 0600. */
export function writeShown(folder: string, session: EditSession): string {
  const path = join(folder, basename(session.file));
  writeFileSync(path, session.shown, { mode: 0o600, flag: 'wx' });
  return path;
}

export function readShown(path: string): string {
  return readFileSync(path, 'utf8');
}

interface Openings {
  values: Map<Manifest, Map<string, Buffer>>;
  /** Why an entry was not opened. */
  refused: Map<Manifest, Map<string, string>>;
}

function openWhatOpens(file: ManifestFile, opener: Opener): Openings {
  const values: Openings['values'] = new Map();
  const refused: Openings['refused'] = new Map();
  for (const manifest of file.manifests) {
    const opened = new Map<string, Buffer>();
    const reasons = new Map<string, string>();
    for (const [entry, { kind }] of manifest.entries) {
      if (kind !== 'sealed') continue;
      try {
        const value = openManifest(manifest, opener, [entry]).values.get(entry);
        if (value !== undefined) opened.set(entry, value);
      } catch (error) {
        if (!(error instanceof CofferError)) throw error;
        reasons.set(entry, error.message);
      }
    }
    values.set(manifest, opened);
    refused.set(manifest, reasons);
  }
  return { values, refused };
}
