import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LARGEST_READ } from '../../core/check/tree.ts';
import { isManifestPath, type RepositoryConfig } from '../../core/config/repository.ts';
import type { CofferError } from '../../core/errors.ts';
import { mayHoldCoffer } from '../../core/format/document/document.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import { compareManifests, type ManifestChange } from '../../core/format/merge/compare.ts';
import { readBlobs } from './git.ts';
import type { ChangedFile, Side } from './revisions.ts';

export interface ComparedFile {
  /** Where it is now, or was. */
  path: string;
  /** Where it was, if elsewhere. */
  movedFrom?: string;
  before?: ManifestFile;
  after?: ManifestFile;
  changes: ManifestChange[];
  /** Of documents that cannot be read, and so are not compared. */
  problems: CofferError[];
}

/** Compares the manifests in each changed file. Files in which nothing of coffer's changed are left out. */
export async function compareFiles(
  root: string,
  config: RepositoryConfig,
  changed: readonly ChangedFile[],
): Promise<ComparedFile[]> {
  const compared: ComparedFile[] = [];
  for (const { before, after } of changed) {
    const sides = [before, after].filter((side) => side !== undefined);
    if (!sides.some(({ path }) => isManifestPath(config, path))) continue;
    const old = await readSide(root, before);
    const now = await readSide(root, after);
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
    if (file.changes.length > 0 || file.problems.length > 0 || isMove) compared.push(file);
  }
  return compared;
}

async function readSide(
  root: string,
  side: Side | undefined,
): Promise<ReturnType<typeof manifestProblems> | undefined> {
  if (side === undefined) return undefined;
  const bytes =
    side.blob === undefined
      ? await readFile(join(root, side.path))
      : (await readBlobs(root, [side.blob], LARGEST_READ))[0];
  return bytes === undefined || !mayHoldCoffer(bytes) ? undefined : manifestProblems(bytes, side.path);
}
