import type { TestContext } from 'node:test';
import type { KubeClient } from '../../operator/kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { newNamespace } from '../cluster/shared.ts';
import { Site, type SiteOptions } from '../operator/site.ts';
import { connectTo } from './connect.ts';
import { Onlooker } from './onlooker.ts';

export interface Secret extends KubeObject {
  data?: Record<string, string>;
}

export interface ClusterSiteOptions extends SiteOptions {
  /** That the operator uses; absent: the administrator's, straight to the server. */
  kubeconfig?: string;
  /** One that is there; absent: a new one. */
  namespace?: string;
  /** More namespaces that it may write in. */
  namespaces?: readonly string[];
  /** Of the lease. */
  duration?: string;
}

/** A Site whose operator projects into Kubernetes Secrets of a namespace, which somebody watches. */
export interface ClusterSite {
  site: Site;
  /** The operator's own, and where its Secrets are. */
  namespace: string;
  admin: KubeClient;
  /** Who sees every version of every Secret there. */
  secrets: Onlooker<Secret>;
  /** A manifest for this namespace with one entry `a`, in a file of its name. */
  manifest(name: string, value: string): Record<string, string>;
  /** Has the operators that start from now on do so with another state, as a second replica, by way of this kubeconfig. */
  replica(name: string, kubeconfig: string): void;
}

export async function openClusterSite(
  t: TestContext,
  cluster: Cluster,
  {
    kubeconfig = cluster.kubeconfig,
    namespace: own,
    namespaces = [],
    duration = '15s',
    ...options
  }: ClusterSiteOptions = {},
): Promise<ClusterSite> {
  const namespace = own ?? (await newNamespace(t, cluster));
  const admin = await connectTo(t, cluster.kubeconfig, { namespace });
  const site = await Site.open(t, options);
  const configure = (kubeconfig: string, changes: object = {}) =>
    site.configure({
      kubernetes: { kubeconfig, namespace, leaderElection: { duration } },
      projections: [{ kubernetesSecrets: { namespaces: [namespace, ...namespaces] } }],
      ...changes,
    });
  configure(kubeconfig);
  const secrets = await Onlooker.open<Secret>(t, admin, RESOURCES.secrets, namespace);
  const manifest = (name: string, value: string) => ({
    [`${name}.yaml`]: site.manifest({ namespace, name, data: { a: value } }),
  });
  const replica = (name: string, itsKubeconfig: string) =>
    configure(itsKubeconfig, { state: { directory: `state-${name}` }, audit: { directory: `audit-${name}` } });
  return { site, namespace, admin, secrets, manifest, replica };
}

/** Whether a Secret holds this value under `a`. */
export function holds(value: string): (secret: Secret | undefined) => boolean {
  const text = Buffer.from(value).toString('base64');
  return (secret) => secret?.data?.a === text;
}
