import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { mergeThreeWay, resolveConflicts } from '../../core/format/merge/merge.ts';
import { gitOrNothing } from './git.ts';

/** The three files that git gives a merge driver; the result goes to `ours`. */
export interface Versions {
  base: string;
  ours: string;
  theirs: string;
}

/**
 * Merges as git's driver. Whatever git hands over, the result is a merge: what coffer cannot read is merged line by
 * line by git itself, so that nobody finds one side alone in the file and takes it for the whole.
 */
export async function mergeFiles({ base, ours, theirs }: Versions): Promise<{ conflicts: number }> {
  const [before, mine, other] = await Promise.all([base, ours, theirs].map((file) => readFile(file)));
  try {
    const { text, conflicts } = mergeThreeWay(textOf(before), textOf(mine), textOf(other));
    await writeFileAtomically(ours, Buffer.from(text));
    return { conflicts };
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const clean = await gitOrNothing('.', ['merge-file', ours, base, theirs]);
    return { conflicts: clean === undefined ? 1 : 0 };
  }
}

/**
 * Resolves a file with conflict markers in place. While git has the conflict in its index, what was there before both
 * changes is known too, although the markers do not say it.
 */
export async function resolveFile(path: string): Promise<{ unresolved: number; changed: boolean }> {
  const before = textOf(await readFile(path));
  const ancestor = await gitOrNothing(dirname(path), ['show', `:1:./${basename(path)}`]);
  const { text, unresolved } = resolveConflicts(before, ancestor?.toString('utf8'));
  const changed = text !== before;
  if (changed) await writeFileAtomically(path, Buffer.from(text));
  return { unresolved, changed };
}

/** Bytes that are no UTF-8 would change if they were written again as text. Throws FILE_NOT_UTF8. */
function textOf(bytes: Buffer | undefined): string {
  if (bytes === undefined || isUtf8(bytes)) return bytes?.toString('utf8') ?? '';
  throw new CofferError('FILE_NOT_UTF8', 'the file is not UTF-8', { advice: 'Merge it with another tool.' });
}
