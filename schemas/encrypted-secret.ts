import Type, { type Static } from 'typebox';
import {
  API_VERSION,
  DATA_KEY_ID,
  DURATION,
  ENTRY,
  LIMITS,
  NAME,
  NAMESPACE_GLOB,
  READER,
  SCHEMA_BASE,
  STANZA,
} from './grammar.ts';
import { ANY, map, namespacedMetadata, strict } from './metadata.ts';

const Reader = strict(
  {
    name: Type.String({
      pattern: READER,
      description: 'ServiceAccount in Kubernetes, workload elsewhere; "*": any in the namespace',
    }),
    entries: Type.Optional(
      Type.Array(Type.String({ pattern: ENTRY }), { description: 'The entries that it may read; absent: all of them' }),
    ),
  },
  { description: 'A workload of the namespace that may read this secret' },
);

const Template = strict({
  metadata: Type.Optional(
    strict({
      labels: Type.Optional(map(ANY, Type.String())),
      annotations: Type.Optional(map(ANY, Type.String())),
    }),
  ),
  data: Type.Optional(
    map(ENTRY, Type.String(), {
      description: 'Entries made from others: ${entry}, ${entry:uri}, ${entry:json}, ${entry:base64}; $${ gives ${',
    }),
  ),
});

const Generate = strict(
  {
    kind: Type.Enum(['password', 'hex', 'base64', 'uuid', 'ed25519', 'rsa', 'tls'], {
      description: 'ed25519, rsa and tls: a private key in PEM (PKCS #8)',
    }),
    length: Type.Optional(
      Type.Integer({
        minimum: 8,
        maximum: 1024,
        description: 'Characters of a password, random bytes of hex and base64; absent: 32',
      }),
    ),
    bits: Type.Optional(Type.Enum([2048, 3072, 4096], { description: 'Of an rsa key; absent: 3072' })),
    names: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 253 }), {
        minItems: 1,
        maxItems: 64,
        description: 'Of a tls certificate: DNS names and addresses',
      }),
    ),
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3650, description: 'Of a tls certificate, which signs itself; absent: 90' }),
    ),
    public: Type.Optional(
      Type.String({
        pattern: ENTRY,
        description: 'The entry that gets the public key (ed25519: OpenSSH, rsa: PEM) or the certificate',
      }),
    ),
  },
  { description: 'How a new value is made' },
);

const Rotation = strict({
  every: Type.Optional(
    Type.String({ pattern: DURATION, description: 'Absent: only when it is asked for, or exposed' }),
  ),
  generate: Type.Optional(Generate),
  rotator: Type.Optional(
    Type.String({
      pattern: NAME,
      description:
        "Instead of generate: one of the operator's configuration, which changes the value where it is used, too",
    }),
  ),
  keepPrevious: Type.Optional(
    Type.String({ pattern: DURATION, description: 'For so long the former value stays, as ENTRY.previous' }),
  ),
  secret: Type.Optional(
    Type.Boolean({
      description:
        'false: the value is no secret, like the name of a user: who reads it learns nothing. Absent: it is one',
    }),
  ),
});

/** A manifest: docs/format.md, "A manifest". `data` values are sealed text, or plaintext that waits to be sealed. */
export const EncryptedSecret = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('EncryptedSecret'),
    metadata: namespacedMetadata,
    spec: strict({
      recipients: Type.Array(Type.String({ pattern: NAME }), {
        minItems: 1,
        maxItems: LIMITS.recipients,
        uniqueItems: true,
        description: 'The clusters, people and groups that can open it',
      }),
      scope: Type.Optional(
        Type.Enum(['strict', 'namespace', 'cluster'], {
          description:
            'What its ciphertext is bound to: namespace and name (strict, the default), the namespace, or neither',
        }),
      ),
      namespaces: Type.Optional(
        Type.Array(Type.String({ pattern: NAMESPACE_GLOB }), {
          minItems: 1,
          description: 'With scope cluster: the namespaces (names or globs) that it is projected into',
        }),
      ),
      readers: Type.Array(Reader, { description: 'The workloads that may read it' }),
      type: Type.Optional(
        Type.String({ minLength: 1, maxLength: 253, description: "The Kubernetes Secret's type; absent: Opaque" }),
      ),
      deletionPolicy: Type.Optional(
        Type.Enum(['Delete', 'Retain'], { description: 'What becomes of the projection when the manifest goes' }),
      ),
      projection: Type.Optional(
        Type.Enum(['Secret', 'Volume'], {
          description:
            'What Kubernetes makes of it: a Secret (the default), or nothing but volumes for its readers, so that it never reaches etcd',
        }),
      ),
      data: map(ENTRY, Type.Unknown(), {
        maxProperties: LIMITS.entries,
        description: 'Sealed text (CF[1:…]), or plaintext that `coffer encrypt` seals',
      }),
      template: Type.Optional(Template),
      rotation: Type.Optional(map(ENTRY, Rotation, { description: 'Entries whose values are made anew, and how' })),
      keys: Type.Optional(
        map(DATA_KEY_ID, map(NAME, Type.String({ pattern: STANZA })), {
          description: 'One stanza for each data key and recipient; coffer writes it',
        }),
      ),
    }),
    status: Type.Optional(Type.Unknown()),
  },
  {
    $id: `${SCHEMA_BASE}/encrypted-secret.schema.json`,
    title: 'EncryptedSecret',
    description: 'A secret, sealed to clusters and scoped to workloads',
  },
);

export type EncryptedSecret = Static<typeof EncryptedSecret>;
