import { Bug } from '../../errors.ts';
import type { ObjectType } from '../packs/pack.ts';
import type { Repository } from '../repository.ts';
import { pathParts } from './path.ts';
import { isTree, MODE, rawEntries } from './tree.ts';

/** What stands at a path; as in TreeEntry. */
export interface Replacement {
  mode: string;
  oid: string;
}

/** What changes in a folder: what an entry becomes, then what changes below it. */
interface Edit {
  replaced: boolean;
  by: Replacement | undefined;
  below: Map<string, Edit>;
}

/**
 * Makes the tree that differs from `tree` in some paths only: each is replaced, added, or (`undefined`) removed, and a folder
 * that is left empty goes. Where both a path and something below it are named, the path comes first. Only the folders above
 * those paths are read and written; every other entry stays byte for byte. Returns the id of the new tree.
 */
export function replacePaths(
  repository: Repository,
  write: (type: ObjectType, bytes: Buffer) => string,
  tree: string,
  replacements: ReadonlyMap<string, Replacement | undefined>,
): string {
  const root: Edit = { replaced: false, by: undefined, below: new Map() };
  for (const [path, by] of replacements) {
    const parts = pathParts(path);
    if (parts === undefined || parts.length === 0) throw new Bug('a replacement outside of the tree');
    let edit = root;
    for (const part of parts) {
      const next = edit.below.get(part) ?? { replaced: false, by: undefined, below: new Map() };
      edit.below.set(part, next);
      edit = next;
    }
    edit.replaced = true;
    edit.by = by;
  }
  return new TreeWriter(repository, write).edited(tree, root.below) ?? write('tree', Buffer.alloc(0));
}

class TreeWriter {
  readonly #repository: Repository;
  readonly #write: (type: ObjectType, bytes: Buffer) => string;

  constructor(repository: Repository, write: (type: ObjectType, bytes: Buffer) => string) {
    this.#repository = repository;
    this.#write = write;
  }

  /** The id of a folder with its edits; `undefined`: nothing is left of it. The depth is that of the paths named. */
  edited(tree: string | undefined, edits: ReadonlyMap<string, Edit>): string | undefined {
    const bytes = tree === undefined ? Buffer.alloc(0) : this.#repository.readTreeBytes(tree);
    const kept: Row[] = [];
    const before = new Map<string, Replacement>();
    for (const { name, mode, start, end } of rawEntries(bytes)) {
      const text = name.toString('utf8');
      if (!edits.has(text)) kept.push(row(name, mode, bytes.subarray(start, end)));
      else before.set(text, { mode, oid: bytes.toString('hex', end - 20, end) });
    }
    for (const [name, edit] of edits) {
      const after = this.#after(before.get(name), edit);
      if (after === undefined) continue;
      const raw = Buffer.from(name);
      const head = Buffer.concat([Buffer.from(`${after.mode} `), raw, Buffer.from([0])]);
      kept.push(row(raw, after.mode, Buffer.concat([head, Buffer.from(after.oid, 'hex')])));
    }
    if (kept.length === 0) return undefined;
    kept.sort((a, b) => a.order.compare(b.order));
    return this.#write('tree', Buffer.concat(kept.map(({ bytes }) => bytes)));
  }

  #after(before: Replacement | undefined, edit: Edit): Replacement | undefined {
    const here = edit.replaced ? edit.by : before;
    if (edit.below.size === 0) return here;
    const oid = this.edited(here !== undefined && isTree(here) ? here.oid : undefined, edit.below);
    if (oid !== undefined) return { mode: MODE.tree, oid };
    // Nothing was put below what is no folder.
    return here !== undefined && !isTree(here) ? here : undefined;
  }
}

interface Row {
  order: Buffer;
  bytes: Buffer;
}

/** Git sorts a folder as if its name ended in a slash. */
function row(name: Buffer, mode: string, bytes: Buffer): Row {
  return { order: isTree({ mode }) ? Buffer.concat([name, Buffer.from('/')]) : name, bytes };
}
