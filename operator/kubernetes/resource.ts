/** Which kinds of the Kubernetes API the operator deals with, and where each is found. */

/** Who the operator is to server-side apply: the owner of the fields that it applied. */
export const FIELD_MANAGER = 'coffer-operator';

/** A kind as the API serves it. */
export interface Resource {
  /** `''`: the core group. */
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

const CORE = { group: '', version: 'v1', namespaced: true };
const APPS = { group: 'apps', version: 'v1', namespaced: true };
const COFFER = { group: 'coffer.dev', version: 'v1', namespaced: true };

export const RESOURCES = {
  secrets: { ...CORE, plural: 'secrets', kind: 'Secret' },
  configMaps: { ...CORE, plural: 'configmaps', kind: 'ConfigMap' },
  namespaces: { ...CORE, plural: 'namespaces', kind: 'Namespace', namespaced: false },
  pods: { ...CORE, plural: 'pods', kind: 'Pod' },
  serviceAccounts: { ...CORE, plural: 'serviceaccounts', kind: 'ServiceAccount' },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
  events: { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
  encryptedSecrets: { ...COFFER, plural: 'encryptedsecrets', kind: 'EncryptedSecret' },
  secretReaders: { ...COFFER, plural: 'secretreaders', kind: 'SecretReaders' },
  deployments: { ...APPS, plural: 'deployments', kind: 'Deployment' },
  statefulSets: { ...APPS, plural: 'statefulsets', kind: 'StatefulSet' },
  daemonSets: { ...APPS, plural: 'daemonsets', kind: 'DaemonSet' },
  replicaSets: { ...APPS, plural: 'replicasets', kind: 'ReplicaSet' },
  jobs: { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true },
  cronJobs: { group: 'batch', version: 'v1', plural: 'cronjobs', kind: 'CronJob', namespaced: true },
  tokenReviews: {
    group: 'authentication.k8s.io',
    version: 'v1',
    plural: 'tokenreviews',
    kind: 'TokenReview',
    namespaced: false,
  },
  subjectAccessReviews: {
    group: 'authorization.k8s.io',
    version: 'v1',
    plural: 'subjectaccessreviews',
    kind: 'SubjectAccessReview',
    namespaced: false,
  },
} as const satisfies Record<string, Resource>;

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedField {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedField[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
  finalizers?: string[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export interface ObjectName {
  /** Absent only for kinds that have none. */
  namespace?: string;
  name: string;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Path of a collection (no name), an object or its subresource, each part encoded. */
export function pathOf(
  { group, version, plural, namespaced }: Resource,
  { namespace, name }: Partial<ObjectName>,
  subresource?: string,
): string {
  const root = group === '' ? ['api', version] : ['apis', group, version];
  const scope = namespaced && namespace !== undefined ? ['namespaces', namespace] : [];
  const parts = [...root, ...scope, plural, name, subresource].filter((part) => part !== undefined);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
