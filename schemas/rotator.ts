import Type from 'typebox';
import { DURATION, ENTRY, NAME, WORKLOAD } from './grammar.ts';
import { strict } from './metadata.ts';

const duration = (description: string) => Type.Optional(Type.String({ pattern: DURATION, description }));
const path = (description: string) => Type.String({ minLength: 1, description });

const Postgres = strict(
  {
    urlFile: path('A connection string of a role that may change the users, read again at every use'),
    caFile: Type.Optional(path('PEM certificates to trust for TLS, beside the system’s')),
    users: Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
      minItems: 2,
      maxItems: 2,
      uniqueItems: true,
      description: 'Two login roles of the same rights, which take turns',
    }),
    entries: strict({
      username: Type.String({ pattern: ENTRY }),
      password: Type.String({ pattern: ENTRY }),
    }),
  },
  { description: 'Two alternating users of a PostgreSQL database: docs/rotation.md' },
);

/** One of the operator's own, which manifests name. */
export const Rotator = strict(
  {
    name: Type.String({ pattern: NAME, description: 'As `rotation.ENTRY.rotator` of a manifest says' }),
    secrets: Type.Array(Type.String({ pattern: WORKLOAD }), {
      minItems: 1,
      description: 'NAMESPACE/NAME of the manifests that may use it',
    }),
    postgres: Type.Optional(Postgres),
    command: Type.Optional(
      strict(
        {
          run: Type.Array(Type.String(), { minItems: 1, description: 'Program and arguments; no shell' }),
          timeout: duration('Absent: 60s'),
        },
        { description: 'A program that gets the new value on standard input: docs/rotation.md' },
      ),
    ),
  },
  { description: 'What changes a value where it is used, too; in a manifest it would be code execution' },
);
