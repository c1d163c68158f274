import Type, { type Static } from 'typebox';
import { API_VERSION, IDENTITY, NAME, SCHEMA_BASE, TIMESTAMP } from './grammar.ts';
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

/** A person's committed wish, a file of `.coffer/requests/`: docs/format.md, "Requests". */
export const Request = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('Request'),
    metadata: namedMetadata,
    spec: strict({ created: Type.String({ pattern: TIMESTAMP }), join: Join }),
    status: Type.Optional(Type.Unknown()),
  },
  {
    $id: `${SCHEMA_BASE}/request.schema.json`,
    title: 'Request',
    description: 'What a person asks of an operator, by committing it',
  },
);

export type Request = Static<typeof Request>;
