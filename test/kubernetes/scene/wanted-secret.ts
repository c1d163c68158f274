import type { Wanted } from '../../../operator/project/projector.ts';

const ENTRY = { ciphertext: '' } as never;

/** A secret of two entries that is projected into namespaces. */
export function wanted(
  name: string,
  namespaces: readonly string[],
  readers: { name: string; entries?: string[] }[],
): Wanted {
  return {
    secret: {
      namespace: namespaces[0] ?? '',
      name,
      type: 'Opaque',
      deletionPolicy: 'Delete',
      projection: 'Secret',
      readers: readers.map(({ name: reader, entries }) => ({
        name: reader,
        ...(entries && { entries: new Set(entries) }),
      })),
      entries: new Map([
        ['PASSWORD', ENTRY],
        ['USERNAME', ENTRY],
      ]),
      stanzas: new Map(),
      template: { data: new Map(), labels: new Map(), annotations: new Map() },
      binding: { scope: 'strict', namespace: namespaces[0] ?? '', name },
      namespaces: [],
    },
    audience: namespaces.map((namespace) => ({
      workload: `${namespace}/${name}`,
      entries: new Set(['PASSWORD', 'USERNAME']),
    })),
    provenance: { source: 'git', path: `${name}.yaml`, index: 0 },
  };
}
