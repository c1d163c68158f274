import { isManifestPath, type RepositoryConfig } from '../../../core/config/repository.ts';
import { CofferError } from '../../../core/errors.ts';
import { namedDataKeys } from '../../../core/format/edit/sealing-run.ts';
import { manifestProblems } from '../../../core/format/manifest/read-manifest.ts';
import { mayNeed, sealedTo } from '../../../core/format/manifest/sealed-to.ts';
import { readAllRefs } from '../../../core/git/refs/refs.ts';
import { openRepository, type Repository } from '../../../core/git/repository.ts';
import { changesBetween } from '../../../core/git/trees/changes.ts';
import { isFile } from '../../../core/git/trees/tree.ts';
import { isKeyringPath } from '../../../core/keys/keyring.ts';
import { readRecipient } from '../../../core/keys/recipient.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { titleOf } from '../manifest-files.ts';

/** Something that only this key opens, as far as its recipient goes. */
export interface Hanging {
  /** Full names of the branches, remote-tracking ones too, and tags whose newest commit has it. */
  refs: string[];
  path: string;
  /** `NAMESPACE/NAME` of a manifest, `group NAME`, or a file that cannot be read. */
  what: string;
}

/**
 * What hangs on a key of a recipient: in the newest commit of every branch and tag of the clone, manifests with a stanza for it that a value
 * needs, and seeds of groups. What history holds beyond that, the recovery recipient opens.
 */
export async function findHanging(workspace: Workspace, kid: string): Promise<Hanging[]> {
  const repository = await openRepository(workspace.root);
  try {
    const found = new Map<string, Hanging>();
    const scan = new Scan(repository, workspace.config, kid);
    for (const [tree, refs] of await treesOf(repository)) {
      for (const { path, what } of await scan.of(tree)) {
        const known = found.get(`${path}\0${what}`);
        if (known === undefined) found.set(`${path}\0${what}`, { refs: [...refs], path, what });
        else known.refs.push(...refs);
      }
    }
    return [...found.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1));
  } finally {
    repository.close();
  }
}

/** Tree → the refs whose newest commit has it. A ref that names no commit here holds no manifest either. */
async function treesOf(repository: Repository): Promise<Map<string, string[]>> {
  const trees = new Map<string, string[]>();
  for (const ref of (await readAllRefs(repository.directory)).keys()) {
    const tree = await treeOf(repository, ref);
    if (tree !== undefined) trees.set(tree, [...(trees.get(tree) ?? []), ref]);
  }
  const detached = await treeOf(repository, 'HEAD');
  if (detached !== undefined && !trees.has(detached)) trees.set(detached, ['HEAD']);
  return trees;
}

async function treeOf(repository: Repository, ref: string): Promise<string | undefined> {
  try {
    return (await repository.readCommit(await repository.resolve(ref))).tree;
  } catch (error) {
    if (error instanceof CofferError) return undefined;
    throw error;
  }
}

/** Trees of one repository are much the same, so that each is read as far as it differs from the one before. */
class Scan {
  readonly #repository: Repository;
  readonly #config: RepositoryConfig;
  readonly #kid: string;
  #before: string | null = null;
  /** Path → what hangs there, in the tree that was read last. */
  readonly #hanging = new Map<string, string[]>();

  constructor(repository: Repository, config: RepositoryConfig, kid: string) {
    this.#repository = repository;
    this.#config = config;
    this.#kid = kid;
  }

  async of(tree: string): Promise<{ path: string; what: string }[]> {
    for await (const { path, after } of changesBetween(this.#repository, this.#before, tree)) {
      this.#hanging.delete(path);
      if (after === undefined || !isFile(after)) continue;
      if (!isManifestPath(this.#config, path) && !isKeyringPath(path)) continue;
      const bytes = await this.#repository.readBlobWithin(after.oid);
      const what = bytes === undefined ? [] : this.#hangingIn(path, bytes);
      if (what.length > 0) this.#hanging.set(path, what);
    }
    this.#before = tree;
    return [...this.#hanging].flatMap(([path, all]) => all.map((what) => ({ path, what })));
  }

  #hangingIn(path: string, bytes: Buffer): string[] {
    if (!bytes.includes(this.#kid) && !mayNeed(sealedTo(bytes, path), this.#kid)) return [];
    return isKeyringPath(path) ? this.#groupIn(path, bytes) : this.#manifestsIn(path, bytes);
  }

  #manifestsIn(path: string, bytes: Buffer): string[] {
    const { file, problems } = manifestProblems(bytes, path);
    const needing = file.manifests.filter((manifest) =>
      [...namedDataKeys(manifest).values()].some((id) =>
        [...(manifest.stanzas.get(id ?? '')?.values() ?? [])].some(({ kid }) => kid === this.#kid),
      ),
    );
    // What cannot be read may need it: somebody mends it, or takes it away.
    return problems.length > 0 ? [...needing.map(titleOf), 'what cannot be read'] : needing.map(titleOf);
  }

  #groupIn(path: string, bytes: Buffer): string[] {
    try {
      const { name, keys } = readRecipient(bytes, path);
      const isNeeded = keys.some(({ seeds }) => [...seeds.values()].some(({ kid }) => kid === this.#kid));
      return isNeeded ? [`group ${name}`] : [];
    } catch (error) {
      if (error instanceof CofferError) return ['what cannot be read'];
      throw error;
    }
  }
}
