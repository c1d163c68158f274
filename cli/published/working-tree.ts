import { mkdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contents, type Tree } from '../../core/check/tree.ts';
import { isManifestPath } from '../../core/config/repository.ts';
import { replaceFiles } from '../../core/files/replace-files.ts';
import { isKeyringPath } from '../../core/keys/keyring.ts';
import { isRequestPath } from '../../core/requests/request.ts';
import { applyProposal, namesDataKey, type Proposal, type ProposalBase } from '../../core/rotation/proposal.ts';
import { workingTree } from '../git/trees.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** The working tree, as far as a proposal may change it: manifests, the keyring, and requests, none of them behind a link. */
class WorkingTreeBase implements ProposalBase {
  readonly #workspace: Workspace;
  readonly #tree: Tree;

  constructor(workspace: Workspace, tree: Tree) {
    this.#workspace = workspace;
    this.#tree = tree;
  }

  async read(path: string): Promise<Buffer | undefined> {
    const file = this.#tree.files.get(path);
    if (file?.kind !== 'file' || !this.#mayChange(path)) return undefined;
    return (await this.#tree.read([file]))[0];
  }

  async naming(dataKeyIds: ReadonlySet<string>): Promise<readonly string[]> {
    const { config } = this.#workspace;
    const files = [...this.#tree.files.values()].filter(
      ({ path, kind }) => kind === 'file' && isManifestPath(config, path),
    );
    const paths: string[] = [];
    for await (const { file, bytes } of contents(this.#tree, files)) {
      if (namesDataKey(bytes, dataKeyIds)) paths.push(file.path);
    }
    return paths;
  }

  #mayChange(path: string): boolean {
    return isManifestPath(this.#workspace.config, path) || isKeyringPath(path) || isRequestPath(path);
  }
}

/**
 * Writes what of a proposal fits the working tree and is not there yet; the paths, from the root. `made`: files of which the new
 * text is known already. `tree`: as it was read before. `isDry`: nothing is written.
 */
export async function applyToWorkingTree(
  workspace: Workspace,
  proposal: Proposal,
  { made = new Map(), tree, isDry = false }: { made?: ReadonlyMap<string, Buffer>; tree?: Tree; isDry?: boolean } = {},
): Promise<string[]> {
  const base = new WorkingTreeBase(workspace, tree ?? (await workingTree(workspace.root)));
  const changed = new Map([...(await applyProposal(proposal, base)), ...made]);
  if (isDry) return [...changed.keys()];
  const written = [...changed].flatMap(([path, bytes]) => (bytes === undefined ? [] : [{ path, bytes }]));
  // Interrupted, nothing is sealed to a key that only this run knows, and what was asked for is still asked for.
  const inOrder = [
    ...written.filter(({ path }) => isKeyringPath(path)),
    ...written.filter(({ path }) => !isKeyringPath(path)),
  ];
  const files = new Map(inOrder.map(({ path, bytes }) => [join(workspace.root, path), bytes]));
  for (const folder of new Set([...files.keys()].map(dirname))) await mkdir(folder, { recursive: true });
  await replaceFiles(files);
  for (const [path, bytes] of changed) if (bytes === undefined) await unlink(join(workspace.root, path));
  return [...changed.keys()];
}
