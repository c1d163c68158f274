import { rmdirSync } from 'node:fs';
import { MANIFEST_NAME, NAME, WORKLOAD } from '../../../schemas/grammar.ts';
import { type Anchor, type FolderHolder, systemCode } from '../folder/open-folder.ts';
import { notOurs } from './failure.ts';
import type { Workload } from './workload.ts';

/** The folders above the secrets: ROOT/NAMESPACE/WORKLOAD. They stay when a secret goes, so that containers can mount them. */
export class Tree {
  readonly #root: Anchor;
  readonly #passage: FolderHolder;
  readonly #made: (workload: Workload, folder: Anchor) => void;

  /** `made` is called with every workload's folder that had to be made. */
  constructor(root: Anchor, made: (workload: Workload, folder: Anchor) => void) {
    this.#root = root;
    this.#made = made;
    const { uid, gid, mode } = root.stat();
    this.#passage = { uid: Number(uid), gid: Number(gid), folderMode: Number(mode) & 0o711 };
  }

  /** Runs `work` in a workload's folder; makes it and what is above it, and puts right who owns it. */
  with<Result>(workload: Workload, work: (folder: Anchor) => Result): Result {
    return withFolder(this.#root, workload.namespace, this.#passage, (namespace) => {
      const isNew = namespace.lstat(workload.name) === undefined;
      return withFolder(namespace, workload.name, workload.holder, (folder) => {
        if (isNew) this.#made(workload, folder);
        return work(folder);
      });
    });
  }

  /** As `with`, for a workload of which only the name is known; undefined where it has no folder. */
  withFound<Result>(workload: string, work: (folder: Anchor) => Result): Result | undefined {
    const [namespace = '', name = ''] = workload.split('/');
    if (!this.#root.lstat(namespace)?.isDirectory()) return undefined;
    return this.#root.within(namespace, (parent) =>
      parent.lstat(name)?.isDirectory() ? parent.within(name, work) : undefined,
    );
  }

  /** NAMESPACE/NAME of every workload that has a folder, listed in the configuration or not. */
  found(): string[] {
    const namespaces = foldersOf(this.#root, new RegExp(NAME));
    return namespaces.flatMap((namespace) =>
      this.#root.within(namespace, (folder) =>
        foldersOf(folder, new RegExp(MANIFEST_NAME))
          .map((name) => `${namespace}/${name}`)
          .filter((workload) => new RegExp(WORKLOAD).test(workload)),
      ),
    );
  }

  /** Removes the folder of a workload that is no longer listed, and its namespace's, as far as they are empty. */
  removeEmpty(workload: string): void {
    const [namespace = '', name = ''] = workload.split('/');
    this.#root.within(namespace, (folder) => removeIfEmpty(folder, name));
    removeIfEmpty(this.#root, namespace);
  }
}

/** The folders of secrets in a workload's folder, whoever made them. */
export function secretsIn(folder: Anchor): string[] {
  return foldersOf(folder, new RegExp(MANIFEST_NAME));
}

function foldersOf(folder: Anchor, grammar: RegExp): string[] {
  return folder.names().filter((name) => grammar.test(name) && folder.lstat(name)?.isDirectory());
}

function withFolder<Result>(
  parent: Anchor,
  name: string,
  holder: FolderHolder,
  work: (folder: Anchor) => Result,
): Result {
  const found = parent.lstat(name);
  if (found === undefined) parent.makeFolder(name, 0o700);
  else if (!found.isDirectory()) throw notOurs(`Where the folder ${name} should be there is something else.`, {});
  return parent.within(name, (folder) => {
    folder.give(holder);
    return work(folder);
  });
}

function removeIfEmpty(parent: Anchor, name: string): void {
  try {
    rmdirSync(parent.at(name));
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY'].includes(systemCode(error) ?? '')) throw error;
  }
}
