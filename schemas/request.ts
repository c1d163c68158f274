import Type, { type Static } from 'typebox';
import { API_VERSION, COMMIT, IDENTITY, KEY_ID, NAME, SCHEMA_BASE, TIMESTAMP } from './grammar.ts';
import { namedMetadata, strict } from './metadata.ts';

const Join = strict(
  {
    recipient: Type.String({ pattern: NAME, description: 'Who is to open it' }),
    identity: Type.String({ pattern: IDENTITY, description: "The recipient's, as a person confirmed it" }),
    like: Type.String({
      pattern: NAME,
      description: 'The recipient whose manifests it is to open, and who seals to it',
    }),
  },
  { description: 'Let a recipient open what another can' },
);

const Endorse = strict(
  {
    commit: Type.String({ pattern: COMMIT, description: 'What the endorser looked at and stands for' }),
    abandons: Type.Optional(
      Type.Array(Type.String({ pattern: COMMIT }), {
        maxItems: 1024,
        description: 'Commits of the former branch that are given up: operators that accepted one of these follow',
      }),
    ),
  },
  { description: 'Stand for a commit that operators hold back' },
);

const Rotate = strict(
  {
    recipient: Type.String({ pattern: NAME, description: 'Whose key is to be followed by a new one' }),
    key: Type.String({
      pattern: KEY_ID,
      description: 'The newest key at that time; once there is a newer one, the wish is fulfilled',
    }),
    revoke: Type.Optional(
      Type.Boolean({ description: 'The key is in the wrong hands: all that was ever sealed to it is exposed' }),
    ),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'For the record: one line' })),
  },
  { description: 'Have the operator of a cluster make a new key' },
);

const Retire = strict(
  {
    recipient: Type.String({ pattern: NAME, description: 'Whose key it is' }),
    key: Type.String({ pattern: KEY_ID, description: 'A retired or revoked key' }),
  },
  { description: 'Have the operator of a cluster delete a secret key on which nothing hangs any more' },
);

/** A person's committed wish, a file of `.coffer/requests/`: docs/format.md, "Requests". */
export const Request = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('Request'),
    metadata: namedMetadata,
    spec: strict(
      {
        created: Type.String({ pattern: TIMESTAMP }),
        join: Type.Optional(Join),
        endorse: Type.Optional(Endorse),
        rotate: Type.Optional(Rotate),
        retire: Type.Optional(Retire),
      },
      { minProperties: 2, maxProperties: 2 },
    ),
    status: Type.Optional(Type.Unknown()),
  },
  {
    $id: `${SCHEMA_BASE}/request.schema.json`,
    title: 'Request',
    description: 'What a person asks of an operator, by committing it',
  },
);

export type Request = Static<typeof Request>;
