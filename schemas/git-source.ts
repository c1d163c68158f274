import Type from 'typebox';
import { COMMIT, DURATION, NAMESPACE_GLOB } from './grammar.ts';
import { strict } from './metadata.ts';

const duration = (description: string) => Type.Optional(Type.String({ pattern: DURATION, description }));
const path = (description: string) => Type.String({ minLength: 1, description });

const Trust = strict(
  {
    mode: Type.Enum(['off', 'head', 'strict'], {
      description:
        'off: no signature is needed; head: the newest commit must be signed, and its signer answers for all that it brings; strict: every commit that changes secrets or .coffer must be signed',
    }),
    policy: Type.Optional(path('A file of kind TrustPolicy: signers, and what each is granted')),
    firstCommit: Type.Optional(
      Type.String({
        pattern: COMMIT,
        description:
          'Where trust begins: this commit, or one that descends from it, is the first that is taken; in quotes',
      }),
    ),
    perPath: Type.Optional(
      Type.Boolean({
        description: 'Hold back only the files that a refused commit changes, not the whole commit; absent: false',
      }),
    ),
  },
  { description: 'What a commit must show before it counts: docs/trust.md' },
);

const Webhook = strict(
  {
    from: Type.Enum(['github', 'gitea', 'gitlab'], { description: 'Whose way of signing; gitea: Forgejo too' }),
    secretFile: path('One line; read again when it changes'),
  },
  { description: 'Looks as soon as the forge says that something was pushed; needs serve.webhooks' },
);

const Push = strict(
  {
    branch: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Absent: the branch that is followed; another (where that is protected) is for people to merge',
      }),
    ),
  },
  {
    description: 'This operator may push what it rotates, in commits that its identity signs; absent: it publishes it',
  },
);

/** A git repository that an operator follows. */
export const Git = strict({
  url: Type.String({
    minLength: 1,
    description: 'A path, file://, https://, ssh://, USER@HOST:PATH, or http:// with allowHttp',
  }),
  branch: Type.Optional(Type.String({ minLength: 1, description: 'Absent, with no tag either: main' })),
  tag: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Instead of a branch: a glob of tags; of those that match, the highest version is followed',
    }),
  ),
  path: Type.Optional(Type.String({ minLength: 1, description: 'The folder that holds manifests; absent: the root' })),
  namespaces: Type.Optional(
    Type.Array(Type.String({ pattern: NAMESPACE_GLOB }), {
      minItems: 1,
      description: 'Names or globs: where manifests of this source may write; absent: everywhere',
    }),
  ),
  interval: duration('Between polls; absent: 30s'),
  timeout: duration('Of one fetch; judging what it brings may take ten times as long; absent: 60s'),
  staleAfter: duration('An alarm, when for so long no look at the source succeeded; absent: 1h'),
  quietAfter: duration('An alarm, when the accepted commit has been the newest for so long; absent: never'),
  allowHttp: Type.Optional(Type.Boolean()),
  caFile: Type.Optional(path('PEM certificates to trust beside the system’s')),
  clientCertFile: Type.Optional(path('PEM, with clientKeyFile: a certificate that this operator shows to the server')),
  clientKeyFile: Type.Optional(path('PEM, with clientCertFile')),
  proxy: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'http:// or https:// URL, or `none`; absent: as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, and for ssh none',
    }),
  ),
  usernameFile: Type.Optional(path('With passwordFile: basic credentials, read again at every fetch')),
  passwordFile: Type.Optional(path('With usernameFile')),
  bearerFile: Type.Optional(path('A bearer token, read again at every fetch')),
  sshKeyFile: Type.Optional(path('For ssh: a private key (OpenSSH or PEM), read again at every fetch')),
  sshPassphraseFile: Type.Optional(path('Of an encrypted sshKeyFile: one line')),
  knownHostsFile: Type.Optional(path('For ssh, required: the host keys that are trusted, as ssh-keyscan prints them')),
  webhook: Type.Optional(Webhook),
  trust: Type.Optional(Trust),
  push: Type.Optional(Push),
  carriedBy: Type.Optional(
    Type.Enum(['operator', 'objects'], {
      description:
        'In Kubernetes: operator (the default) projects its manifests and mirrors them as EncryptedSecret objects; objects: others apply them, and this source only vouches for them',
    }),
  ),
});
