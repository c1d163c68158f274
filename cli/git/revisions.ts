import { CofferError } from '../../core/errors.ts';
import { git, gitOrNothing, nulSeparated } from './git.ts';

/** What two states of the repository are compared: revisions by name, the index, or the working tree. */
export interface Comparison {
  before: string;
  /** Absent: the index or the working tree. */
  after?: string;
}

export interface Side {
  /** From the folder in which git ran. */
  path: string;
  /** Absent: as it stands in the working tree. */
  blob?: string;
}

export interface ChangedFile {
  before?: Side;
  after?: Side;
}

/**
 * Splits what was typed into revisions and paths as git does: revisions first, then paths; what stands after `--` is a
 * path. Throws DIFF_ARGUMENT for what is neither, and where it could be both.
 */
export async function comparisonFrom(
  root: string,
  typed: readonly string[],
  afterDashes: readonly string[],
  isPath: (path: string) => Promise<boolean>,
): Promise<{ comparison: Comparison; paths: string[] }> {
  const revisions: string[] = [];
  const paths: string[] = [];
  for (const word of typed) {
    const named = paths.length === 0 && revisions.length < 2 ? await revisionsOf(root, word) : [];
    const couldBePath = await isPath(word);
    if (named.length > 0 && couldBePath && afterDashes.length === 0) throw ambiguous(word);
    if (named.length > 0) revisions.push(...named);
    else if (couldBePath) paths.push(word);
    else throw unknown(word);
  }
  const [before = await headOrNothing(root), after, ...more] = revisions;
  if (more.length > 0) throw unknown(more[0] ?? '');
  return { comparison: after === undefined ? { before } : { before, after }, paths: [...paths, ...afterDashes] };
}

/** The files that differ; moved ones are pairs of two paths. With `isStaged` the index is compared, else the working tree. */
export async function changedFiles(
  folder: string,
  { before, after }: Comparison,
  paths: readonly string[],
  isStaged: boolean,
): Promise<ChangedFile[]> {
  const against = after !== undefined ? [before, after] : isStaged ? ['--cached', before] : [before];
  const pathspecs = ['--', ...paths.map((path) => `:(literal)${path}`)];
  const raw = await git(folder, [
    'diff',
    '--raw',
    '-z',
    '--no-abbrev',
    '-M',
    '--no-color',
    '--no-ext-diff',
    '--relative',
    ...against,
    ...pathspecs,
  ]);
  const changed = parseRaw(nulSeparated(raw));
  if (after !== undefined || isStaged) return changed;
  const untracked = await git(folder, ['ls-files', '-z', '--others', '--exclude-standard', ...pathspecs]);
  return [...changed, ...nulSeparated(untracked).map((path) => ({ after: { path } }))];
}

/** `:OLDMODE NEWMODE OLDID NEWID STATUS`, then one path, or two where a file moved. */
function parseRaw(fields: readonly string[]): ChangedFile[] {
  const changed: ChangedFile[] = [];
  for (let at = 0; at < fields.length; ) {
    const [, , oldId = '', newId = '', status = ''] = (fields[at] ?? '').split(' ');
    const from = fields[at + 1] ?? '';
    const isMove = /^[RC]/.test(status);
    const to = isMove ? (fields[at + 2] ?? '') : from;
    at += isMove ? 3 : 2;
    changed.push({
      ...(status === 'A' ? {} : { before: side(from, oldId) }),
      ...(status === 'D' ? {} : { after: side(to, newId) }),
    });
  }
  return changed;
}

function side(path: string, id: string): Side {
  return /^0+$/.test(id) ? { path } : { path, blob: id };
}

/** `A`, `A..B`, or `A...B`: from where the two parted. Empty if it is no revision. */
async function revisionsOf(root: string, word: string): Promise<string[]> {
  const [, before, dots, after] = /^(.*?)(\.{2,3})(.*)$/.exec(word) ?? [];
  const names = before === undefined || after === undefined ? [word] : [before || 'HEAD', after || 'HEAD'];
  const ids = await Promise.all(names.map((name) => commitOf(root, name)));
  const known = ids.filter((id) => id !== undefined);
  if (known.length < names.length) return [];
  const base = dots === '...' ? await gitOrNothing(root, ['merge-base', ...known]) : undefined;
  return base === undefined ? known : [base.toString('latin1').trim(), ...known.slice(1)];
}

async function commitOf(root: string, name: string): Promise<string | undefined> {
  const id = await gitOrNothing(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  return id?.toString('latin1').trim();
}

/** Before the first commit everything is new: compared with the empty tree. */
async function headOrNothing(root: string): Promise<string> {
  return (
    (await commitOf(root, 'HEAD')) ??
    (await git(root, ['hash-object', '-t', 'tree', '--stdin'])).toString('latin1').trim()
  );
}

function ambiguous(word: string): CofferError {
  return new CofferError('DIFF_ARGUMENT', `${word} is a revision and a path`, {
    advice: `Write \`${word} --\` if you mean the revision, \`-- ${word}\` if you mean the path.`,
    exit: 2,
  });
}

function unknown(word: string): CofferError {
  return new CofferError('DIFF_ARGUMENT', `${word} is neither a revision nor a path here`, {
    advice: 'Check the spelling; write `--` before a path that exists in another revision only.',
    exit: 2,
  });
}
