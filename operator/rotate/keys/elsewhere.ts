import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { fromSystemError } from '../../../core/files/system-error.ts';
import { printable } from '../../../core/trust/printable.ts';
import type { Source } from '../../source/source.ts';
import { keysIn } from './stanza-index.ts';

/** A manifest that was projected last, which its source may have no more. */
export interface LastGood {
  /** NAMESPACE/NAME */
  home: string;
  source: string;
  /** Of the source's repository, where there is no `text`. */
  blob: string;
  text?: string;
}

export interface Elsewhere {
  sources: readonly Source[];
  lastGood: () => Iterable<LastGood>;
  /** EncryptedSecret objects that others apply: NAMESPACE/NAME and the manifest. Throws where they cannot be listed now. */
  objects: () => Iterable<{ home: string; text: Buffer }>;
  /** What rotations of values are under way is kept here. */
  stateDirectory: string;
}

/**
 * What beside the accepted states of the sources is sealed to a key, for people.
 *
 * @throws CofferError FILE_SYSTEM, KUBERNETES_*: then nobody can say that nothing is
 */
export async function sealedElsewhere(kid: string, parts: Elsewhere): Promise<string[]> {
  const found: string[] = [];
  const repositories = new Map(parts.sources.map(({ id, repository }) => [id, repository]));
  for (const { home, source, blob, text } of parts.lastGood()) {
    const bytes = text === undefined ? await repositories.get(source)?.readBlob(blob) : Buffer.from(text);
    if (bytes !== undefined && keysIn(bytes).has(kid)) found.push(`what is projected of ${home}`);
  }
  for (const { home, text } of parts.objects()) {
    if (keysIn(text).has(kid)) found.push(`the EncryptedSecret ${home}`);
  }
  for (const name of await rotationsIn(join(parts.stateDirectory, 'rotations'))) {
    if (keysIn(name.bytes).has(kid)) found.push(`the rotation ${printable(name.file)}`);
  }
  return found;
}

async function rotationsIn(folder: string): Promise<{ file: string; bytes: Buffer }[]> {
  try {
    const files = await readdir(folder);
    return await Promise.all(files.map(async (file) => ({ file, bytes: await readFile(join(folder, file)) })));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error instanceof CofferError ? error : (fromSystemError(error) ?? error);
  }
}
