import { contents } from '../../core/check/tree.ts';
import { isManifestPath } from '../../core/config/repository.ts';
import { scanSealed } from '../../core/trust/sealed/sealed-scan.ts';
import { workingTree } from '../git/trees.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** Kid → how many stanzas of the working tree are for it, as they stand there: nothing is parsed. */
export async function stanzaCounts({ root, config }: Workspace): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const tree = await workingTree(root);
  const files = [...tree.files.values()].filter(({ path, kind }) => kind === 'file' && isManifestPath(config, path));
  const key = (_dataKeyId: string, kid: string) => counts.set(kid, (counts.get(kid) ?? 0) + 1);
  for await (const { bytes } of contents(tree, files)) scanSealed(bytes, { text: () => undefined, key });
  return counts;
}
