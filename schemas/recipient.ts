import Type, { type Static } from 'typebox';
import { API_VERSION, DURATION, IDENTITY, KEY_ID, NAME, PUBLIC_KEY, SCHEMA_BASE, TIMESTAMP } from './grammar.ts';
import { map, namedMetadata, strict } from './metadata.ts';

const Key = strict({
  id: Type.String({ pattern: KEY_ID, description: 'BLAKE2b-128 of the public key' }),
  status: Type.Enum(['active', 'retired', 'revoked'], {
    description: 'active seals and opens; retired opens; revoked exposes all that was ever sealed to it',
  }),
  created: Type.String({ pattern: TIMESTAMP }),
  publicKey: Type.String({ pattern: PUBLIC_KEY }),
  endorsement: Type.String({ description: "The identity's Ed25519 signature over this key" }),
  seed: Type.Optional(
    map(NAME, Type.String(), {
      description: "Groups: the key's seed, sealed to each member",
    }),
  ),
});

/** A file of the keyring: docs/format.md, "Recipients". */
export const Recipient = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('Recipient'),
    metadata: namedMetadata,
    spec: strict({
      type: Type.Enum(['cluster', 'group', 'person', 'recovery'], { description: 'What it is; a group has members' }),
      identity: Type.String({ pattern: IDENTITY, description: 'What people pin' }),
      keys: Type.Array(Key, { description: 'Newest first; at most one active' }),
      members: Type.Optional(Type.Array(Type.String({ pattern: NAME }), { uniqueItems: true })),
      rotation: Type.Optional(strict({ every: Type.String({ pattern: DURATION }) })),
    }),
    status: Type.Optional(Type.Unknown()),
  },
  {
    $id: `${SCHEMA_BASE}/recipient.schema.json`,
    title: 'Recipient',
    description: 'Who can open secrets: a cluster, a person, a recovery key, or a group of them',
  },
);

export type Recipient = Static<typeof Recipient>;
