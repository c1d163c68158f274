import type { TestContext } from 'node:test';
import { dump } from 'js-yaml';
import type { Cluster } from '../../cluster/cluster.ts';
import { temporaryFile } from '../../deploy/files.ts';
import { LEAST } from '../../deploy/helm.ts';
import { type Rendered, render } from '../../deploy/rendered.ts';

const KINDS = new Set(['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);

/**
 * The rights that the chart gives its operator, and no others, for one in the namespace `home` that writes in `apps`: the path of
 * a kubeconfig. Undefined where helm is missing; the test is skipped then.
 */
export async function kubeconfigOfChart(
  t: TestContext,
  cluster: Cluster,
  { home, apps }: { home: string; apps: readonly string[] },
): Promise<string | undefined> {
  const objects = await render(t, { ...LEAST, namespaces: apps, csi: { enabled: false } }, home);
  if (objects === undefined) return undefined;
  const isRight = ({ kind, metadata }: Rendered) => KINDS.has(kind) && metadata.name.startsWith('coffer-operator');
  const rights = objects.filter(isRight).map((object) => ofItsOwn(object, home));
  const file = await temporaryFile(t, 'rights.yaml', rights.map((object) => dump(object)).join('---\n'));
  await cluster.kubectl('apply', '-f', file);
  // The others go with the namespaces.
  const lasting = rights.filter(isOfCluster).map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
  t.after(() => cluster.kubectl('delete', '--ignore-not-found', '--wait=false', ...lasting));
  return cluster.kubeconfigFor({ namespace: home, serviceAccount: 'coffer-operator' });
}

const isOfCluster = ({ kind }: Rendered) => kind.startsWith('ClusterRole');

/** What has no namespace would be another test's as well. */
function ofItsOwn(object: Rendered, home: string): Rendered {
  if (!isOfCluster(object)) return object;
  const name = `${object.metadata.name}-${home}`;
  const { roleRef } = object as { roleRef?: { name: string } };
  const renamed = { ...object, metadata: { ...object.metadata, name } };
  return roleRef === undefined ? renamed : { ...renamed, roleRef: { ...roleRef, name: `${roleRef.name}-${home}` } };
}
