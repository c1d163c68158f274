import { isObject } from '../../../core/json.ts';

/**
 * Every way in which a pod names a Secret of its namespace (Kubernetes API reference, PodSpec v1). The admission policy is
 * written from this table, and the operator reads pods and templates by it. A test holds it against the OpenAPI document of
 * a real API server: a field that a new Kubernetes adds is noticed.
 */

export interface ReferenceField {
  /** Path in a PodSpec; `[]` after what is a list. */
  at: string;
  /** The field there that holds the Secret's name. */
  name: 'name' | 'secretName';
  /** Where the reference can be limited to entries: `key` names one, `items` is a list of rows with a `key`; absent: always the whole. */
  entries?: 'key' | 'items';
}

/** In each container, be it an init, an ephemeral or any other one. */
export const CONTAINER_FIELDS: readonly ReferenceField[] = [
  { at: 'env[].valueFrom.secretKeyRef', name: 'name', entries: 'key' },
  { at: 'envFrom[].secretRef', name: 'name' },
];

/** In each volume. The kubelet or a driver on the node reads those that are always whole. */
export const VOLUME_FIELDS: readonly ReferenceField[] = [
  { at: 'secret', name: 'secretName', entries: 'items' },
  { at: 'projected.sources[].secret', name: 'name', entries: 'items' },
  { at: 'csi.nodePublishSecretRef', name: 'name' },
  { at: 'azureFile', name: 'secretName' },
  { at: 'cephfs.secretRef', name: 'name' },
  { at: 'cinder.secretRef', name: 'name' },
  { at: 'flexVolume.secretRef', name: 'name' },
  { at: 'iscsi.secretRef', name: 'name' },
  { at: 'rbd.secretRef', name: 'name' },
  { at: 'scaleIO.secretRef', name: 'name' },
  { at: 'storageos.secretRef', name: 'name' },
];

export const POD_FIELDS: readonly ReferenceField[] = [{ at: 'imagePullSecrets[]', name: 'name' }];

const CONTAINER_LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

export const REFERENCE_FIELDS: readonly ReferenceField[] = [
  ...POD_FIELDS,
  ...VOLUME_FIELDS.map((field) => ({ ...field, at: `volumes[].${field.at}` })),
  ...CONTAINER_LISTS.flatMap((list) => CONTAINER_FIELDS.map((field) => ({ ...field, at: `${list}[].${field.at}` }))),
];

export interface SecretReference {
  secret: string;
  /** Empty: all that the Secret has. */
  entries: readonly string[];
  /** The pod starts without it. */
  isOptional: boolean;
}

/** What a pod refers to; `spec` as the API server gave it. */
export function secretReferences(spec: object): SecretReference[] {
  return REFERENCE_FIELDS.flatMap((field) =>
    valuesAt(spec, field.at.split('.')).flatMap((reference) => {
      const secret = reference[field.name];
      // Without a name it refers to nothing; the API server lets that pass for some fields.
      if (typeof secret !== 'string' || secret === '') return [];
      return [{ secret, entries: entriesOf(reference, field), isOptional: reference.optional === true }];
    }),
  );
}

function entriesOf(reference: Record<string, unknown>, { entries }: ReferenceField): string[] {
  if (entries === undefined) return [];
  const keys = entries === 'key' ? [reference.key] : valuesAt(reference, ['items[]']).map(({ key }) => key);
  return keys.filter((key) => typeof key === 'string');
}

function valuesAt(value: unknown, [step, ...rest]: readonly string[]): Record<string, unknown>[] {
  if (!isObject(value)) return [];
  if (step === undefined) return [value];
  if (!step.endsWith('[]')) return valuesAt(value[step], rest);
  const list = value[step.slice(0, -2)];
  return Array.isArray(list) ? list.flatMap((item) => valuesAt(item, rest)) : [];
}
