import { isManifestPath, type RepositoryConfig } from '../../core/config/repository.ts';
import type { Repository } from '../../core/git/repository.ts';
import { changesBetween } from '../../core/git/trees/changes.ts';
import { isFile } from '../../core/git/trees/tree.ts';
import { namesDataKey, type ProposalBase } from '../../core/rotation/proposal.ts';
import { Turns } from '../../core/turns.ts';

import { COFFER_FOLDER } from '../source/open-git-source.ts';

export interface BaseFilesOptions {
  repository: Repository;
  /** Object id of the tree. */
  tree: string;
  config: RepositoryConfig;
  /** The folder that holds manifests. */
  under: string;
  /** Paths that count as they were before: nothing of them is proposed. */
  held: ReadonlySet<string>;
  signal: AbortSignal;
}

/** The files of a commit, as far as a proposal may change them. */
export class BaseFiles implements ProposalBase {
  readonly #options: BaseFilesOptions;

  constructor(options: BaseFilesOptions) {
    this.#options = options;
  }

  async read(path: string): Promise<Buffer | undefined> {
    const { repository, tree, held, config } = this.#options;
    const isOurs = path.startsWith(`${COFFER_FOLDER}/`) || isManifestPath(config, path);
    if (held.has(path) || !isOurs) return undefined;
    const entry = await repository.entryAt(tree, path);
    return entry !== undefined && isFile(entry) ? repository.readBlobWithin(entry.oid) : undefined;
  }

  async naming(dataKeyIds: ReadonlySet<string>): Promise<readonly string[]> {
    const { repository, tree, config, under, held, signal } = this.#options;
    const turns = new Turns(signal);
    const paths: string[] = [];
    for await (const { path, after } of changesBetween(repository, null, tree, { under, signal })) {
      if (after === undefined || !isFile(after) || held.has(path) || !isManifestPath(config, path)) continue;
      await turns.next();
      const bytes = await repository.readBlobWithin(after.oid);
      if (bytes !== undefined && namesDataKey(bytes, dataKeyIds)) paths.push(path);
    }
    return paths;
  }
}
