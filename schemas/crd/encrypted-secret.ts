import Type, { type Static } from 'typebox';
import { EncryptedSecret } from '../encrypted-secret.ts';
import { strict } from '../metadata.ts';
import { conditions } from './conditions.ts';
import { customResourceDefinition } from './definition.ts';
import { structuralSchema } from './structural.ts';

const text = (description: string) => Type.Optional(Type.String({ description }));

/** What the operator writes into the status subresource, and nobody else. */
export const EncryptedSecretStatus = strict({
  observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
  conditions: Type.Optional(conditions),
  mirror: Type.Optional(
    Type.Boolean({ description: 'The operator applied this object from git; absent: somebody else carries it' }),
  ),
  source: text('The source whose manifest is projected'),
  path: text('Of the manifest in that source'),
  commit: text('The commit whose manifest is projected'),
  shortCommit: text('Its first 12 digits'),
  keyId: text("Of this cluster's key that opened it"),
  lastChange: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'When what is projected was changed last, by the time of its commit',
    }),
  ),
  namespaces: Type.Optional(Type.Array(Type.String(), { description: 'Where it is projected' })),
});

export type EncryptedSecretStatus = Static<typeof EncryptedSecretStatus>;

/** A sealed value has 135 characters at least: docs/format.md, "Values". */
const SEALED =
  "self.all(entry, type(self[entry]) != string || (self[entry].startsWith('CF[1:') && self[entry].endsWith(']') && self[entry].size() >= 135))";

const oneOf = (field: string, ...values: string[]) => ({
  rule: `!has(self.${field}) || self.${field} in [${values.map((value) => `'${value}'`).join(', ')}]`,
  message: `${field} is one of ${values.join(', ')}`,
});

const RULES = {
  '': [
    oneOf('scope', 'strict', 'namespace', 'cluster'),
    oneOf('deletionPolicy', 'Delete', 'Retain'),
    oneOf('projection', 'Secret', 'Volume'),
    {
      rule: "!has(self.namespaces) || (has(self.scope) && self.scope == 'cluster')",
      message: 'namespaces go with scope cluster only',
    },
  ],
  data: [{ rule: SEALED, message: 'an entry is not sealed: run `coffer encrypt` before the manifest goes anywhere' }],
};

/** Docs: docs/operations.md, and "The mirror" there. */
export const encryptedSecretDefinition = customResourceDefinition({
  ...{ kind: 'EncryptedSecret', plural: 'encryptedsecrets', singular: 'encryptedsecret', shortNames: ['es'] },
  description: 'A secret, sealed to clusters and scoped to workloads',
  // Whoever applies a manifest applies the whole of it: no two appliers share one, and managedFields stay small.
  spec: { ...structuralSchema(EncryptedSecret.properties.spec, RULES), 'x-kubernetes-map-type': 'atomic' },
  status: structuralSchema(EncryptedSecretStatus),
  columns: [
    column('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Whether the newest manifest is projected'),
    column('Verified', '.status.conditions[?(@.type=="Verified")].status', 'Whether an accepted commit vouches for it'),
    column('Reason', '.status.conditions[?(@.type=="Ready")].reason', 'Why it is ready, or is not'),
    column('Commit', '.status.shortCommit', 'The commit whose manifest is projected'),
    { ...column('Key', '.status.keyId', "This cluster's key that opened it"), wide: true },
    {
      name: 'Changed',
      type: 'date',
      jsonPath: '.status.lastChange',
      description: 'The time of that commit',
      wide: true,
    },
    { ...column('Message', '.status.conditions[?(@.type=="Ready")].message', 'What to do'), wide: true },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Of the object' },
  ],
});

function column(name: string, jsonPath: string, description: string) {
  return { name, type: 'string' as const, jsonPath, description };
}
