import { isManifestPath, type RepositoryConfig } from '../../../core/config/repository.ts';
import { textDigest } from '../../../core/exposure/text-digest.ts';
import type { Manifest, ManifestFile } from '../../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../../core/format/manifest/read-manifest.ts';
import { type EntryRotation, entryOfPrevious, previousOf } from '../../../core/format/manifest/rotation.ts';
import { type Change, changesBetween } from '../../../core/git/trees/changes.ts';
import { isFile } from '../../../core/git/trees/tree.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import { Turns } from '../../../core/turns.ts';
import { keyOf } from '../../project/namespaced-name.ts';
import { readRepositorySettings } from '../../source/repository-settings.ts';
import type { Accepted, Source } from '../../source/source.ts';

/** What is remembered of a manifest with `rotation` rows. */
export interface RotatingManifest {
  path: string;
  blob: string;
  namespace: string;
  name: string;
  rotation: ReadonlyMap<string, EntryRotation>;
  /** Entry → digest of its sealed text. */
  entries: ReadonlyMap<string, string>;
}

/** A manifest with the file that it stands in. */
export interface Placed {
  file: ManifestFile;
  /** Which of the file's manifests. */
  index: number;
  manifest: Manifest;
}

/** What the name of a former value ends in. */
const PREVIOUS = previousOf('');

/** The manifests of one source whose values turn over, kept up to date by what each commit changes. */
export class RotatingManifests {
  readonly source: Source;
  state: Accepted | undefined;
  config: RepositoryConfig | undefined;
  keyring: Keyring = { recipients: new Map(), problems: [] };
  #byPath = new Map<string, RotatingManifest[]>();
  #byName = new Map<string, RotatingManifest[]>();
  #isRead = false;

  constructor(source: Source) {
    this.source = source;
  }

  /**
   * Takes up what is accepted now. `isNeeded`: of its configuration, whether its manifests are of interest; where they are not, none is
   * read. Whether that is something else than before. Throws the signal's reason.
   */
  async look(isNeeded: (config: RepositoryConfig) => boolean, signal: AbortSignal): Promise<boolean> {
    const state = await this.source.accepted();
    if (state === undefined || (state.tree === this.state?.tree && state.commit === this.state.commit)) return false;
    const { repository, path } = this.source;
    const { config, keyring } = await readRepositorySettings(repository, state.tree, new Map());
    const isRead = isNeeded(config);
    // Other globs make other files manifests.
    const isSame = isRead && this.#isRead && JSON.stringify(config) === JSON.stringify(this.config);
    const byPath = isSame ? new Map(this.#byPath) : new Map<string, RotatingManifest[]>();
    const from = isSame ? (this.state?.tree ?? null) : null;
    const turns = new Turns(signal);
    const changes = isRead ? changesBetween(repository, from, state.tree, { under: path }) : [];
    for await (const change of changes) {
      await turns.next();
      const rows = await this.#rows(change, config);
      if (rows.length > 0) byPath.set(change.path, rows);
      else byPath.delete(change.path);
    }
    this.#byPath = byPath;
    this.#byName = Map.groupBy(this.all(), ({ namespace, name }) => keyOf(namespace, name));
    this.#isRead = isRead;
    this.config = config;
    this.keyring = keyring;
    this.state = state;
    return true;
  }

  *all(): Generator<RotatingManifest> {
    for (const rows of this.#byPath.values()) yield* rows;
  }

  /** Those of this name that are there: one, unless two files claim it. */
  named(namespace: string, name: string): readonly RotatingManifest[] {
    return this.#byName.get(keyOf(namespace, name)) ?? [];
  }

  /** Undefined where the file is not as it was, or cannot be read. */
  async read({
    path,
    blob,
    namespace,
    name,
  }: Pick<RotatingManifest, 'path' | 'blob' | 'namespace' | 'name'>): Promise<Placed | undefined> {
    return placedIn(await this.source.repository.readBlob(blob), path, { namespace, name });
  }

  async #rows({ path, after }: Change, config: RepositoryConfig): Promise<RotatingManifest[]> {
    if (after === undefined || !isFile(after) || !isManifestPath(config, path)) return [];
    const bytes = await this.source.repository.readBlob(after.oid);
    if (!bytes.includes('rotation') && !bytes.includes(PREVIOUS)) return [];
    const manifests = manifestProblems(bytes, path).file?.manifests ?? [];
    return manifests.filter(isRotating).map((manifest) => rowOf(manifest, path, after.oid));
  }
}

export function placedIn(bytes: Buffer, path: string, wanted: { namespace: string; name: string }): Placed | undefined {
  const { file } = manifestProblems(bytes, path);
  const index = file.manifests.findIndex(
    ({ namespace, name }) => namespace === wanted.namespace && name === wanted.name,
  );
  const manifest = file.manifests[index];
  return manifest === undefined ? undefined : { file, index, manifest };
}

/** A former value stays to be taken away when its rule goes. */
function isRotating({ rotation, entries }: Manifest): boolean {
  return rotation.size > 0 || [...entries.keys()].some((entry) => entryOfPrevious(entry) !== undefined);
}

function rowOf({ namespace, name, rotation, entries }: Manifest, path: string, blob: string): RotatingManifest {
  const digests = Array.from(entries, ([entry, value]): [string, string] => [
    entry,
    value.kind === 'sealed' ? textDigest(value.text) : '',
  ]);
  return { path, blob, namespace, name, rotation, entries: new Map(digests) };
}
