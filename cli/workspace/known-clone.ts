import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CONFIG_PATH } from '../../core/config/repository.ts';
import { CofferError, nothingFor } from '../../core/errors.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { undefinedIfMissing } from '../../core/files/system-error.ts';
import { locateGitDirectory } from '../../core/git/git-directory.ts';
import { canAsk, confirm } from '../input/prompt.ts';

/**
 * Pins are kept under the `repository` id of the Config, which whoever can push can change: to that of another
 * repository, where the user trusts another key under the same name. So a clone remembers, in its git directory where
 * no commit reaches, under which ids it was trusted, and an id that is new to it is a question (docs/format.md, "Pins").
 *
 * A clone that remembers nothing takes the first id that it sees. Throws REPOSITORY_ID_CHANGED on a no, and where there
 * is nobody to ask.
 */
export async function confirmRepository(root: string, id: string): Promise<void> {
  const file = await memoryOf(root);
  if (file === undefined) return;
  const known = ((await readFile(file, 'utf8').catch(undefinedIfMissing)) ?? '')
    .split('\n')
    .filter((line) => line !== '');
  if (known.includes(id)) return;
  if (known.length > 0) await askAbout(id, known);
  await remember(file, [...known, id]);
}

async function askAbout(id: string, known: readonly string[]): Promise<void> {
  if (canAsk()) {
    const lines = [
      `The repository id in ${CONFIG_PATH} is NOT one under which you trusted this clone. Somebody may have swapped it,`,
      'so that what you trust in another repository counts in this one.',
      `  id         ${id}`,
      ...known.map((one) => `  known      ${one}`),
    ];
    process.stderr.write(`${lines.join('\n')}\n`);
    if (await confirm('Trust this clone under the new id, from now on?')) return;
  }
  throw new CofferError('REPOSITORY_ID_CHANGED', `the repository id in ${CONFIG_PATH} is new to this clone`, {
    advice: 'Find out who changed it, and restore it from git; if it is right, run it again at a terminal.',
    data: { file: CONFIG_PATH },
  });
}

/** A git directory that cannot be written to remembers nothing, and is no reason not to seal. */
async function remember(file: string, ids: readonly string[]): Promise<void> {
  await placeFile(file, `${ids.join('\n')}\n`, { mode: 0o600 }).catch(nothingFor('FILE_SYSTEM'));
}

/** Undefined outside of a git repository. */
async function memoryOf(root: string): Promise<string | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = await locateGitDirectory(folder);
    if (found !== undefined) return join(found.common, 'coffer', 'repositories');
    if (dirname(folder) === folder) return undefined;
  }
}
