import type { Past } from '../../core/check/rules/rotation-ages.ts';
import { LARGEST_READ } from '../../core/check/tree.ts';
import { git, gitIfInstalled, gitOrNothing, readBlobs } from './git.ts';

/**
 * The repository as its main line was by the dates of the commits. Where history does not reach that far, as in a shallow
 * clone, and without git, nothing was there.
 */
export function pastOf(root: string, now: number = Date.now()): Past {
  return async (age, paths) => {
    const commit = await commitBefore(root, Math.floor((now - age) / 1000));
    if (commit === undefined) return new Map();
    // A name with a line end cannot be asked for.
    const asked = paths.filter((path) => !/[\r\n]/.test(path));
    const prefix = (await gitOrNothing(root, ['rev-parse', '--show-prefix']))?.toString('utf8').trimEnd() ?? '';
    const names = asked.map((path) => `${commit}:${prefix}${path}`);
    const ids = await blobIds(root, names);
    const known = asked.flatMap((path, index) => {
      const id = ids[index];
      return id === undefined ? [] : [{ path, id }];
    });
    const read = await readBlobs(
      root,
      known.map(({ id }) => id),
      LARGEST_READ,
    );
    return new Map(
      known.flatMap(({ path }, index): [string, Buffer][] => {
        const bytes = read[index];
        return bytes === undefined ? [] : [[path, bytes]];
      }),
    );
  };
}

/** The newest commit of the first parents that is not younger. */
async function commitBefore(root: string, seconds: number): Promise<string | undefined> {
  const found = await gitIfInstalled(root, ['rev-list', '-1', '--first-parent', `--before=${seconds}`, 'HEAD', '--']);
  const commit = found?.toString('latin1').trim() ?? '';
  return commit === '' ? undefined : commit;
}

/** Of what these names mean; undefined for what is no blob. */
async function blobIds(root: string, names: readonly string[]): Promise<(string | undefined)[]> {
  const input = names.map((name) => `${name}\n`).join('');
  const output = await git(root, ['cat-file', '--batch-check=%(objectname) %(objecttype)'], input);
  const lines = output.toString('utf8').split('\n');
  return names.map((_, index) => /^([0-9a-f]+) blob$/.exec(lines[index] ?? '')?.[1]);
}
