import Type, { type Static } from 'typebox';
import { API_VERSION, NAME, REPOSITORY_ID, SCHEMA_BASE } from './grammar.ts';
import { namedMetadata, strict } from './metadata.ts';

const globs = (description: string) => Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description }));

/** `.coffer/config.yaml`: paths are relative to the root of the repository, globs as in gitignore. */
export const Config = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('Config'),
    metadata: namedMetadata,
    spec: strict({
      repository: Type.String({ pattern: REPOSITORY_ID, description: 'Random; pins belong to it' }),
      rules: Type.Optional(
        Type.Array(
          strict({
            path: Type.String({ minLength: 1 }),
            recipients: Type.Array(Type.String({ pattern: NAME }), { minItems: 1, uniqueItems: true }),
          }),
          { description: 'The recipients that a new manifest under a path gets; the first match counts' },
        ),
      ),
      include: globs('Where manifests are looked for; absent: everywhere'),
      ignore: globs('Where they are not looked for'),
      requiredRecipients: Type.Optional(
        Type.Array(Type.String({ pattern: NAME }), { description: 'Every manifest must list these (a recovery key)' }),
      ),
      rotatingCluster: Type.Optional(Type.String({ pattern: NAME })),
    }),
  },
  { $id: `${SCHEMA_BASE}/config.schema.json`, title: 'Config', description: "A repository's coffer configuration" },
);

export type Config = Static<typeof Config>;
