import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CofferError } from '../errors.ts';

export interface GitDirectory {
  /** Holds HEAD; of a linked work tree its own. */
  own: string;
  /** Holds `objects` and `refs`; the same but in linked work trees. */
  common: string;
}

/** Finds the git directory of a bare repository, a work tree, or a linked work tree (gitrepository-layout). */
export async function findGitDirectory(directory: string): Promise<GitDirectory> {
  const found = await locateGitDirectory(directory);
  if (found === undefined) {
    throw new CofferError('GIT_NOT_A_REPOSITORY', `${directory} is not a git repository`, {
      advice: 'Give the folder that holds `.git`, or a bare repository.',
      data: { path: directory },
    });
  }
  await refuseUnsupported(directory, found.common);
  return found;
}

/** The same in whatever format the repository is; undefined where there is none. */
export async function locateGitDirectory(directory: string): Promise<GitDirectory | undefined> {
  const own = await ownDirectory(directory);
  if (own === undefined) return undefined;
  const common = await pointer(join(own, 'commondir'), '');
  return { own, common: common === undefined ? own : resolve(own, common) };
}

async function ownDirectory(directory: string): Promise<string | undefined> {
  const dotGit = join(directory, '.git');
  if (await isGitDirectory(dotGit)) return dotGit;
  const linked = await pointer(dotGit, 'gitdir: ');
  if (linked !== undefined) return resolve(directory, linked);
  return (await isGitDirectory(directory)) ? directory : undefined;
}

async function isGitDirectory(directory: string): Promise<boolean> {
  const kinds = await Promise.all(
    ['HEAD', 'objects'].map((name) =>
      stat(join(directory, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return kinds.every(Boolean);
}

/** A file of one line that names a folder. */
async function pointer(file: string, prefix: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
  return text.startsWith(prefix) ? text.slice(prefix.length).trimEnd() : undefined;
}

async function refuseUnsupported(directory: string, common: string): Promise<void> {
  const config = await readFile(join(common, 'config'), 'utf8').catch(() => '');
  const reason = /^\s*objectformat\s*=\s*sha256/im.test(config)
    ? 'names its objects by SHA-256'
    : /^\s*refstorage\s*=\s*reftable/im.test(config)
      ? 'stores its refs as a reftable'
      : undefined;
  if (reason === undefined) return;
  throw new CofferError(
    'GIT_FORMAT_UNSUPPORTED',
    `the repository ${directory} ${reason}, which coffer cannot read yet`,
    {
      advice: 'Use a repository in the default format (SHA-1 objects, refs as files).',
      data: { path: directory },
    },
  );
}
