import Type, { type Static } from 'typebox';
import { API_VERSION, FINGERPRINT, NAMESPACE_GLOB, SCHEMA_BASE, SIGNER } from './grammar.ts';
import { namedMetadata, strict } from './metadata.ts';

const file = (description: string) => Type.String({ minLength: 1, description });

/**
 * What of a repository a change touches, so that each can be granted by itself (docs/trust.md). `values` includes the
 * stanzas that come with them; `stanzas` alone is what a rewrap changes. The last four are of files in `.coffer/`.
 */
export const SUBJECTS = [
  'values',
  'stanzas',
  'readers',
  'recipients',
  'namespaces',
  'type',
  'template',
  'rotation',
  'deletionPolicy',
  'removal',
  'keyring',
  'rules',
  'requests',
  'endorse',
] as const;

const Ssh = strict(
  {
    allowedSigners: file('As git\u2019s gpg.ssh.allowedSignersFile: PRINCIPALS [OPTIONS] KEY, one a line'),
    revoked: Type.Optional(file('As git\u2019s gpg.ssh.revocationFile: public keys, or a KRL of ssh-keygen')),
  },
  { description: 'Signers with SSH keys' },
);

const OpenPgp = strict(
  {
    keys: Type.Array(
      strict({
        name: Type.String({ pattern: SIGNER, description: 'The signer’s name, for grants' }),
        file: file('Public keys, armored or binary'),
      }),
      { minItems: 1 },
    ),
    revoked: Type.Optional(
      Type.Array(Type.String({ pattern: FINGERPRINT }), {
        description: 'Fingerprints of keys and subkeys, in upper case without spaces',
      }),
    ),
  },
  { description: 'Signers with OpenPGP keys: people, and forges, which sign merges with it' },
);

const Grant = strict({
  signers: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    description: 'Names of signers, as allowedSigners and openpgp.keys give them; `*` stands for any part',
  }),
  paths: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description:
        'Globs as in gitignore, from the root of the repository, of the files that change: for keyring, rules, requests and endorse those in .coffer/; absent: every path',
    }),
  ),
  may: Type.Array(Type.Enum([...SUBJECTS]), {
    minItems: 1,
    uniqueItems: true,
    description: 'The subjects that these signers may change there',
  }),
});

/** Who may change what in a repository: kept outside it, read by operators and by `coffer check --trust`. */
export const TrustPolicy = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('TrustPolicy'),
    metadata: namedMetadata,
    spec: strict({
      signers: Type.Optional(
        strict(
          { ssh: Type.Optional(Ssh), openpgp: Type.Optional(OpenPgp) },
          { description: 'Files are relative to this one; they are read again when they change' },
        ),
      ),
      grants: Type.Optional(
        Type.Array(Grant, {
          description:
            'A change needs one grant that has its signer, path and subject; absent: every signer may change everything',
        }),
      ),
      namespaces: Type.Optional(
        Type.Array(
          strict({
            path: Type.String({ minLength: 1, description: 'A glob as in gitignore' }),
            namespaces: Type.Array(Type.String({ pattern: NAMESPACE_GLOB })),
          }),
          {
            description:
              'Which namespaces the manifests under a path may write to; the first match counts, and where none does, none; absent: all',
          },
        ),
      ),
    }),
  },
  {
    $id: `${SCHEMA_BASE}/trust-policy.schema.json`,
    title: 'TrustPolicy',
    description: 'Who may change what in a repository of secrets',
  },
);

export type TrustPolicy = Static<typeof TrustPolicy>;
export type Subject = (typeof SUBJECTS)[number];
