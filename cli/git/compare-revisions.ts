import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LARGEST_READ } from '../../core/check/tree.ts';
import { type ConfigChange, compareConfigs } from '../../core/config/compare-configs.ts';
import { CONFIG_PATH, configFrom, isManifestPath, type RepositoryConfig } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import { mayHoldCoffer } from '../../core/format/document/document.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import { compareManifests, type ManifestChange } from '../../core/format/merge/compare.ts';
import { compareRecipients, type RecipientChange } from '../../core/keys/compare-recipients.ts';
import { isKeyringPath } from '../../core/keys/keyring.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { readBlobs } from './git.ts';
import type { ChangedFile, Side } from './revisions.ts';

export type RevisionChange = ManifestChange | RecipientChange | ConfigChange;

export interface ComparedFile {
  /** Where it is now, or was. */
  path: string;
  /** Where it was, if elsewhere. */
  movedFrom?: string;
  /** Of manifests. */
  before?: ManifestFile;
  after?: ManifestFile;
  changes: RevisionChange[];
  /** Of what cannot be read, and so is not compared. */
  problems: CofferError[];
}

/** Compares the manifests, recipients and configuration in each changed file. Files in which none changed are left out. */
export async function compareFiles(
  root: string,
  config: RepositoryConfig,
  changed: readonly ChangedFile[],
): Promise<ComparedFile[]> {
  const compared: ComparedFile[] = [];
  for (const pair of changed.flatMap(apart)) {
    const file = await compareFile(root, config, pair);
    if (file !== undefined) compared.push(file);
  }
  return compared;
}

/** Whether manifests are or were in it: where `compareFiles` leaves it out, its stanzas, comments or layout changed. */
export async function holdsManifests(
  root: string,
  config: RepositoryConfig,
  { before, after }: ChangedFile,
): Promise<boolean> {
  for (const side of [before, after]) {
    if (side === undefined || !isManifestPath(config, side.path)) continue;
    const manifests = (await readManifestSide(root, side))?.file.manifests ?? [];
    if (manifests.length > 0) return true;
  }
  return false;
}

/** In `.coffer/` a file is what its path says: git may take one recipient for another one, moved. */
function apart({ before, after }: ChangedFile): ChangedFile[] {
  if (before === undefined || after === undefined || before.path === after.path)
    return [{ ...(before && { before }), ...(after && { after }) }];
  return [before, after].some(({ path }) => path.startsWith('.coffer/'))
    ? [{ before }, { after }]
    : [{ before, after }];
}

async function compareFile(
  root: string,
  config: RepositoryConfig,
  pair: ChangedFile,
): Promise<ComparedFile | undefined> {
  const sides = [pair.before, pair.after].filter((side) => side !== undefined);
  const path = sides.at(-1)?.path ?? '';
  if (path === CONFIG_PATH) return compareWhole(root, pair, configFrom, compareConfigs);
  if (isKeyringPath(path)) return compareWhole(root, pair, readRecipient, compareRecipients);
  return sides.some((side) => isManifestPath(config, side.path)) ? compareManifestFile(root, pair) : undefined;
}

/** A file that holds one thing. What is there and cannot be read is neither added nor removed, but a problem. */
async function compareWhole<Thing>(
  root: string,
  { before, after }: ChangedFile,
  read: (bytes: Uint8Array, path: string) => Thing,
  compare: (before: Thing | undefined, after: Thing | undefined) => RevisionChange[],
): Promise<ComparedFile | undefined> {
  const problems: CofferError[] = [];
  const readOne = async (side: Side | undefined): Promise<Thing | undefined> => {
    const bytes = side && (await bytesOf(root, side));
    if (side === undefined || bytes === undefined) return undefined;
    try {
      return read(bytes, side.path);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  const [old, now] = [await readOne(before), await readOne(after)];
  const changes = problems.length > 0 ? [] : compare(old, now);
  if (changes.length + problems.length === 0) return undefined;
  return { path: (after ?? before)?.path ?? '', changes, problems };
}

async function compareManifestFile(root: string, { before, after }: ChangedFile): Promise<ComparedFile | undefined> {
  const old = await readManifestSide(root, before);
  const now = await readManifestSide(root, after);
  const file: ComparedFile = {
    path: (after ?? before)?.path ?? '',
    ...(before !== undefined && after !== undefined && before.path !== after.path ? { movedFrom: before.path } : {}),
    ...(old === undefined ? {} : { before: old.file }),
    ...(now === undefined ? {} : { after: now.file }),
    changes: compareManifests(old?.file, now?.file),
    problems: [...(old?.problems ?? []), ...(now?.problems ?? [])],
  };
  const holdsManifests = (old?.file.manifests.length ?? 0) + (now?.file.manifests.length ?? 0) > 0;
  const isMove = file.movedFrom !== undefined && holdsManifests;
  return file.changes.length > 0 || file.problems.length > 0 || isMove ? file : undefined;
}

async function readManifestSide(
  root: string,
  side: Side | undefined,
): Promise<ReturnType<typeof manifestProblems> | undefined> {
  const bytes = side && (await bytesOf(root, side));
  return side === undefined || bytes === undefined || !mayHoldCoffer(bytes)
    ? undefined
    : manifestProblems(bytes, side.path);
}

/** Undefined: too large to be of coffer, or missing in a partial clone. */
async function bytesOf(root: string, { path, blob }: Side): Promise<Buffer | undefined> {
  return blob === undefined ? readFile(join(root, path)) : (await readBlobs(root, [blob], LARGEST_READ))[0];
}
