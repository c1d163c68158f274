import { createHash } from 'node:crypto';
import { CofferError } from '../../core/errors.ts';
import type { Repository } from '../../core/git/repository.ts';
import { isFile, MODE } from '../../core/git/trees/tree.ts';
import { type Replacement, replacePaths } from '../../core/git/trees/tree-writer.ts';
import { applyProposal, type Proposal } from '../../core/rotation/proposal.ts';
import { readRepositorySettings } from '../source/repository-settings.ts';
import { BaseFiles } from './base-files.ts';
import { pushFault } from './faults.ts';
import { NewObjects } from './new-objects.ts';

/** What a proposal changes of a tree, made: `objects` are those that nobody has yet. */
export interface Changes {
  /** Object id of the tree with all of it. */
  tree: string;
  objects: NewObjects;
  /** Path → what stood there, and what shall. */
  paths: ReadonlyMap<string, { before: Replacement | undefined; after: Replacement | undefined }>;
  /** The same for the same paths and texts. */
  digest: string;
}

export interface ChangesOptions {
  repository: Repository;
  tree: string;
  under: string;
  held: ReadonlySet<string>;
  /** Of the source, for errors. */
  place: string;
  signal: AbortSignal;
}

/** `undefined`: the tree has all of it. Throws PUSH_HELD, and what a file that cannot be read is. */
export async function changesOf(proposal: Proposal, options: ChangesOptions): Promise<Changes | undefined> {
  const { repository, tree, under, held, place, signal } = options;
  const { config } = await readRepositorySettings(repository, tree, new Map());
  const texts = await applyProposal(proposal, new BaseFiles({ repository, tree, config, under, held, signal }));
  const objects = new NewObjects();
  const paths = new Map<string, { before: Replacement | undefined; after: Replacement | undefined }>();
  const digest = createHash('sha256');
  for (const [path, text] of [...texts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (held.has(path)) throw pushFault('PUSH_HELD', { place, detail: path });
    const before = await entryAt(repository, tree, path);
    const after = text && { mode: before?.mode ?? MODE.file, oid: objects.add('blob', text) };
    if (before?.oid === after?.oid) continue;
    paths.set(path, { before, after });
    digest.update(JSON.stringify([path, after?.oid ?? null]));
  }
  if (paths.size === 0) return undefined;
  const write = (type: 'tree' | 'blob' | 'commit' | 'tag', bytes: Buffer): string => objects.add(type, bytes);
  const replaced = new Map(Array.from(paths, ([path, { after }]) => [path, after]));
  return { tree: replacePaths(repository, write, tree, replaced), objects, paths, digest: digest.digest('hex') };
}

async function entryAt(repository: Repository, tree: string, path: string): Promise<Replacement | undefined> {
  const entry = await repository.entryAt(tree, path);
  if (entry === undefined) return undefined;
  if (isFile(entry)) return { mode: entry.mode, oid: entry.oid };
  throw new CofferError('PUSH_NO_FILE', `${path} is a folder or a link where a file is to be`, {
    advice: 'Move it away, or ask anew for what was to be changed there.',
    data: { file: path },
    loop: 'retry',
  });
}

/** Whether a tree still has at these paths what was there before a change. */
export async function isAsBefore(
  repository: Repository,
  tree: string,
  former: Readonly<Record<string, string | null>>,
): Promise<boolean> {
  for (const [path, oid] of Object.entries(former)) {
    if (((await repository.entryAt(tree, path))?.oid ?? null) !== oid) return false;
  }
  return true;
}

export function formerOf({ paths }: Changes): Record<string, string | null> {
  const former: Record<string, string | null> = Object.create(null);
  for (const [path, { before }] of paths) former[path] = before?.oid ?? null;
  return former;
}
