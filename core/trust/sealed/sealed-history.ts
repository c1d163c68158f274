import { commitsBetween } from '../../git/commits/commit-walk.ts';
import type { Repository } from '../../git/repository.ts';
import { isFile } from '../../git/trees/tree.ts';
import type { Scope } from '../aspects/scope.ts';
import type { Holding } from '../holding.ts';
import { Seen } from './sealed-records.ts';
import { scanSealed } from './sealed-scan.ts';

/** All that a commit and the history at hand before it hold, by a scan: for the first one that is accepted, or where others judged. */
export async function seenUpTo(repository: Repository, scope: Scope, holding: Holding, head: string): Promise<Buffer> {
  const seen = new Seen(holding);
  const scanned = new Set<string>();
  const trees = new Map<string, string>();
  for await (const { oid, tree, parents } of commitsBetween(repository, { from: undefined, to: head })) {
    await scope.turn();
    trees.set(oid, tree);
    const [parent = ''] = parents;
    for (const { after } of await scope.changes(trees.get(parent) ?? null, tree)) {
      if (after === undefined || !isFile(after) || scanned.has(after.oid)) continue;
      scanned.add(after.oid);
      await scope.turn();
      const bytes = await repository.readBlobWithin(after.oid);
      if (bytes !== undefined) scanSealed(bytes, seen);
    }
  }
  seen.upTo(head);
  return seen.records();
}
