import type { EarlierFile } from '../../core/check/rules/key-history.ts';
import { LARGEST_READ } from '../../core/check/tree.ts';
import { RECIPIENTS_FOLDER } from '../../core/keys/keyring.ts';
import { git, gitIfInstalled, nulSeparated, readBlobs } from './git.ts';

/** The files of the keyring in the commit at HEAD. None without git, or before the first commit. */
export async function keyringAtHead(root: string): Promise<EarlierFile[]> {
  if (!(await hasHead(root))) return [];
  const listed = nulSeparated(await git(root, ['ls-tree', '-z', 'HEAD', '--', `${RECIPIENTS_FOLDER}/`]));
  return readFiles(
    root,
    listed.flatMap((line) => {
      const [, id, path] = /^\d+ blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
      return id === undefined || path === undefined ? [] : [{ id, path }];
    }),
  );
}

/**
 * Every version of them in HEAD and what it follows, merges by their first parent: what the branch once accepted. Of a
 * shallow clone as far as it goes.
 */
export async function keyringOfHistory(root: string): Promise<EarlierFile[]> {
  if (!(await hasHead(root))) return [];
  const log = ['log', '--first-parent', '-m', '--root', '--format=', '--raw', '-z', '--no-abbrev', '--no-renames'];
  const output = await git(root, [...log, '--no-ext-diff', '--relative', 'HEAD', '--', `${RECIPIENTS_FOLDER}/`]);
  // `:OLDMODE NEWMODE OLDID NEWID STATUS`, then the path.
  const fields = nulSeparated(output).filter((field) => field !== '');
  const versions = new Map<string, { id: string; path: string }>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const path = fields[at + 1] ?? '';
    const [, newMode = '', , id = ''] = (fields[at] ?? '').split(' ');
    if (newMode.startsWith('100')) versions.set(`${id} ${path}`, { id, path });
  }
  return readFiles(root, [...versions.values()]);
}

async function hasHead(root: string): Promise<boolean> {
  return (await gitIfInstalled(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])) !== undefined;
}

async function readFiles(root: string, files: readonly { id: string; path: string }[]): Promise<EarlierFile[]> {
  if (files.length === 0) return [];
  const read = await readBlobs(
    root,
    files.map(({ id }) => id),
    LARGEST_READ,
  );
  return files.flatMap(({ path }, index) => {
    const bytes = read[index];
    return bytes === undefined ? [] : [{ path, bytes }];
  });
}
