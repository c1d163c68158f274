import { setImmediate } from 'node:timers/promises';
import { commitLinks, tagTarget } from './commits/commit.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { isTree, MODE, rawEntries } from './trees/tree.ts';

/** After so many objects the event loop gets its turn. */
const TURN = 128;

/**
 * The names of all objects that are reached from these, of whatever type, themselves included, as far as they are there: the
 * clone of a part of a repository lacks the others.
 */
export async function reachableObjects(store: ObjectStore, from: Iterable<string>): Promise<ReadonlySet<string>> {
  const isThere = store.lookup();
  const reached = new Set<string>();
  const toRead: string[] = [];
  const enter = (oid: string, isLeaf: boolean): void => {
    if (reached.has(oid) || !isThere(oid)) return;
    reached.add(oid);
    if (!isLeaf) toRead.push(oid);
  };
  for (const oid of from) enter(oid, false);
  for (let oid = toRead.pop(), steps = 1; oid !== undefined; oid = toRead.pop(), steps++) {
    const object = store.read(oid);
    if (object.type === 'commit') {
      const { tree, parents } = commitLinks(oid, object);
      for (const other of [tree, ...parents]) enter(other, false);
    } else if (object.type === 'tag') {
      const target = tagTarget(object.bytes);
      if (target !== undefined) enter(target, false);
    } else if (object.type === 'tree') {
      for (const entry of rawEntries(object.bytes)) {
        if (entry.mode === MODE.submodule) continue;
        enter(object.bytes.toString('hex', entry.end - 20, entry.end), !isTree(entry));
      }
    }
    if (steps % TURN === 0) await setImmediate();
  }
  return reached;
}
