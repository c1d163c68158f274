import Type from 'typebox';
import { ANY, map, strict } from '../metadata.ts';
import { conditions } from './conditions.ts';
import { customResourceDefinition } from './definition.ts';
import { structuralSchema } from './structural.ts';

const ATOMIC_LIST = { 'x-kubernetes-list-type': 'atomic' };

/**
 * Who may read which Secret of a namespace: the parameter of the admission policy for pods, one object a namespace. A row is
 * `SERVICEACCOUNT` (all entries), `SERVICEACCOUNT/ENTRY`, `*` or `*` + `/ENTRY`. It may hold ten thousand secrets, so it is
 * applied as a whole and no rule runs over it.
 */
const Spec = strict({
  secrets: map(ANY, Type.Array(Type.String({ maxLength: 512 }), { maxItems: 4096, ...ATOMIC_LIST }), {
    description: 'Secret → the ServiceAccounts that may read it, or SERVICEACCOUNT/ENTRY; * for any',
    'x-kubernetes-map-type': 'atomic',
  }),
});

const Status = strict({
  conditions: Type.Optional(conditions),
  offenders: Type.Optional(
    Type.Array(strict({ pod: Type.String(), serviceAccount: Type.String(), secrets: Type.Array(Type.String()) }), {
      description: 'Pods that refer to secrets which they may not read: admitted before the policy knew',
      ...ATOMIC_LIST,
    }),
  ),
  offendersTotal: Type.Optional(Type.Integer({ minimum: 0 })),
});

export const secretReadersDefinition = customResourceDefinition({
  ...{ kind: 'SecretReaders', plural: 'secretreaders', singular: 'secretreaders' },
  description: 'Who may read which Secret of a namespace: written by the coffer operator, read by its admission policy',
  spec: structuralSchema(Spec),
  status: structuralSchema(Status),
  columns: [
    {
      name: 'Offenders',
      type: 'integer',
      jsonPath: '.status.offendersTotal',
      description: 'Pods that refer to secrets which they may not read',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Of the object' },
  ],
});
