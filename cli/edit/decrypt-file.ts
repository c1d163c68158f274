import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { findRoot } from '../../core/config/repository.ts';
import { CofferError, nothingFor } from '../../core/errors.ts';
import { isSystemError } from '../../core/files/system-error.ts';
import { plaintextView } from '../../core/format/edit/plaintext-view.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';
import { writePlaintext } from '../render/plaintext-output.ts';
import { withCleanup } from '../signals.ts';

/** A file with every value in plaintext; the caller wipes the bytes. Throws when a single value cannot be opened. */
export function decryptFile(file: ManifestFile, opener: Opener): Buffer {
  const opened = file.manifests.map((manifest) => openManifest(manifest, opener, sealedEntries(manifest)));
  try {
    const values = new Map(file.manifests.map((manifest, index) => [manifest, opened[index]?.values ?? new Map()]));
    const view = plaintextView(file, values, { stanzas: 'left out' });
    const unshown = view.stillSealed[0];
    if (unshown === undefined) return Buffer.from(view.text);
    throw new CofferError('DECRYPT_NOT_TEXT', `the value of ${unshown.entry} is not text, and JSON cannot hold it`, {
      advice: `Write it alone: coffer get ${file.file} ${unshown.entry}`,
      data: { file: file.file, line: unshown.line, entry: unshown.entry },
    });
  } finally {
    for (const manifest of opened) manifest.wipe();
  }
}

function sealedEntries(manifest: ManifestFile['manifests'][number]): string[] {
  return [...manifest.entries].filter(([, entry]) => entry.kind === 'sealed').map(([name]) => name);
}

/**
 * Writes a file with mode 0600 from the first byte, whole or not at all. Throws DECRYPT_OUTPUT_EXISTS where there is one
 * already, unless `force`.
 */
export async function writePrivateFile(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  if (force) return writePlaintext(bytes, path);
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (!isSystemError(error, 'EEXIST')) throw error;
    throw new CofferError('DECRYPT_OUTPUT_EXISTS', `${path} is there already; nothing was written`, {
      advice: 'Name another file, or replace it with --force.',
      data: { path },
      cause: error,
    });
  });
  // A file that was written in part is removed: after a full disk, and after Ctrl-C.
  let written = false;
  await withCleanup(
    () => {
      if (!written) rmSync(path, { force: true });
    },
    async () => {
      try {
        await handle.writeFile(bytes);
        written = true;
      } finally {
        await handle.close();
      }
    },
  );
}

/** Whether a file stands in a coffer repository, where it could be committed. */
export async function isInRepository(path: string): Promise<boolean> {
  return (await findRoot(dirname(resolve(path))).catch(nothingFor('REPOSITORY_NOT_FOUND'))) !== undefined;
}
