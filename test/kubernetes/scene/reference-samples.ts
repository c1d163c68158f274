import { REFERENCE_FIELDS, type ReferenceField } from '../../../operator/project/readers/pod-references.ts';

/** A pod that refers to a Secret in one of the ways that there are. */
export interface Sample {
  /** As in the table of reference fields. */
  at: string;
  /** Whether the reference names entries; else it is of the whole Secret. */
  isLimited: boolean;
  spec: { containers: object[]; [field: string]: unknown };
}

/** What the API server wants beside the reference. */
const REQUIRED: Record<string, object> = {
  csi: { driver: 'driver.example' },
  azureFile: { shareName: 'share' },
  cephfs: { monitors: ['monitor'] },
  cinder: { volumeID: 'volume' },
  flexVolume: { driver: 'example/driver' },
  iscsi: { targetPortal: '10.0.0.1', iqn: 'iqn.2001-04.example:disk', lun: 0 },
  rbd: { monitors: ['monitor'], image: 'image' },
  scaleIO: { gateway: 'gateway', system: 'system', volumeName: 'volume' },
  storageos: { volumeName: 'volume', volumeNamespace: 'space' },
};

/** One for each row of the table, and one more for each that can be limited to entries. */
export function samples(secret: string, entry: string): Sample[] {
  return REFERENCE_FIELDS.flatMap((field) => {
    const whole = { at: field.at, isLimited: false, spec: specWith(field, { [field.name]: secret, optional: true }) };
    if (field.entries === undefined) return [{ ...whole, spec: specWith(field, { [field.name]: secret }) }];
    const limit = field.entries === 'key' ? { key: entry } : { items: [{ key: entry, path: 'file' }] };
    const limited = { at: field.at, isLimited: true, spec: specWith(field, { [field.name]: secret, ...limit }) };
    // A secretKeyRef is limited always.
    return field.entries === 'key' ? [limited] : [whole, limited];
  });
}

function specWith({ at }: ReferenceField, reference: object): Sample['spec'] {
  let built = reference;
  for (const step of at.split('.').toReversed()) {
    const name = step.replace('[]', '');
    const value = Object.assign(built === reference ? {} : itemOf(name), REQUIRED[name], built);
    built = { [name]: step.endsWith('[]') ? [value] : value };
  }
  return { containers: [{ name: 'main', image: 'none' }], ...built };
}

function itemOf(list: string): object {
  if (list === 'volumes') return { name: 'volume' };
  if (list === 'env') return { name: 'VARIABLE' };
  if (list.endsWith('ontainers')) return { name: list.toLowerCase(), image: 'none' };
  return {};
}
