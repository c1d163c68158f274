import { readFile } from 'node:fs/promises';
import { CofferError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/files/atomic.ts';
import { mergeThreeWay } from '../core/format/merge.ts';
import { gitOrNothing } from './git.ts';

/** The three files that git gives a merge driver; the result goes to `ours`. */
export interface Versions {
  base: string;
  ours: string;
  theirs: string;
}

/**
 * Merges as git's driver. Whatever git hands over, the result is a merge: what coffer cannot read is merged line by
 * line by git itself, so that nobody finds their own side alone in the file and takes it for the whole.
 */
export async function mergeFiles({ base, ours, theirs }: Versions): Promise<{ conflicts: number }> {
  const [before, mine, other] = await Promise.all([base, ours, theirs].map((file) => readFile(file)));
  try {
    const { text, conflicts } = mergeThreeWay(textOf(before), textOf(mine), textOf(other));
    await writeFileAtomically(ours, Buffer.from(text));
    return { conflicts };
  } catch (error) {
    if (!(error instanceof CofferError) && !(error instanceof TypeError)) throw error;
    const clean = await gitOrNothing('.', ['merge-file', ours, base, theirs]);
    return { conflicts: clean === undefined ? 1 : 0 };
  }
}

/** Throws TypeError for bytes that are no UTF-8: rewritten as text they would change. */
function textOf(bytes: Buffer | undefined): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
