import { LARGEST_READ } from '../../core/check/tree.ts';
import { isManifestPath, type RepositoryConfig } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import { mayHoldCoffer } from '../../core/format/document/document.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import type { Keyring } from '../../core/keys/keyring.ts';
import { git, gitOrNothing, nulSeparated, readBlobs } from '../git/git.ts';

/** A manifest of the commit that is asked about. */
export interface WantedSecret {
  namespace: string;
  name: string;
  path: string;
  blob: string;
  recipients: readonly string[];
}

const BATCH = 256;

/** The commit's full id. Throws STATUS_REVISION. */
export async function commitOf(root: string, revision: string): Promise<string> {
  const id = await gitOrNothing(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]);
  if (id !== undefined) return id.toString('latin1').trim();
  throw new CofferError('STATUS_REVISION', `${revision} is no commit of this repository`, {
    advice: 'Name a commit, a branch or a tag; `git fetch` gets those that others pushed.',
    exit: 2,
  });
}

/** Every manifest of a commit. What cannot be read is for `coffer check`. */
export async function wantedAt(root: string, commit: string, config: RepositoryConfig): Promise<WantedSecret[]> {
  const files = nulSeparated(await git(root, ['ls-tree', '-r', '-z', '--full-tree', commit])).flatMap((line) => {
    const [, blob, path] = /^100\d{3} blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return blob !== undefined && path !== undefined && isManifestPath(config, path) ? [{ blob, path }] : [];
  });
  const wanted: WantedSecret[] = [];
  for (let start = 0; start < files.length; start += BATCH) {
    const batch = files.slice(start, start + BATCH);
    const contents = await readBlobs(
      root,
      batch.map(({ blob }) => blob),
      LARGEST_READ,
    );
    for (const [index, { blob, path }] of batch.entries()) {
      const bytes = contents[index];
      if (bytes === undefined || !mayHoldCoffer(bytes)) continue;
      for (const { namespace, name, recipients } of manifestProblems(bytes, path).file?.manifests ?? []) {
        wanted.push({ namespace, name, path, blob, recipients });
      }
    }
  }
  return wanted;
}

/** The blob that stood at each path in each commit; undefined where this clone does not have it. */
export async function blobsAt(
  root: string,
  places: readonly { commit: string; path: string }[],
): Promise<(string | undefined)[]> {
  if (places.length === 0) return [];
  // One a line: a path with a line break is asked about as another, and answered as missing.
  const asked = places.map(({ commit, path }) => `${commit}:${path.replaceAll('\n', ' ')}\n`).join('');
  const lines = (await git(root, ['cat-file', '--batch-check=%(objectname) %(objecttype)'], asked))
    .toString('utf8')
    .split('\n');
  return places.map((_, index) => /^([0-9a-f]{40,64}) blob$/.exec(lines[index] ?? '')?.[1]);
}

/** Whether a manifest is sealed to this cluster, or to a group that it is in. */
export function isFor({ recipients }: WantedSecret, cluster: string, keyring: Keyring): boolean {
  return recipients.some(
    (name) => name === cluster || keyring.recipients.get(name)?.members.includes(cluster) === true,
  );
}
