import Type, { type Static } from 'typebox';
import { API_VERSION, DURATION, NAME, SCHEMA_BASE, WORKLOAD } from './grammar.ts';
import { namedMetadata, strict } from './metadata.ts';

const duration = (description: string) => Type.Optional(Type.String({ pattern: DURATION, description }));
const path = (description: string) => Type.String({ minLength: 1, description });

const Git = strict({
  url: Type.String({ minLength: 1, description: 'A path, file://, https://, or http:// with allowHttp' }),
  branch: Type.Optional(Type.String({ minLength: 1, description: 'Absent: main' })),
  path: Type.Optional(Type.String({ minLength: 1, description: 'The folder that holds manifests; absent: the root' })),
  interval: duration('Between polls; absent: 30s'),
  timeout: duration('Of one fetch; absent: 60s'),
  allowHttp: Type.Optional(Type.Boolean()),
  caFile: Type.Optional(path('PEM certificates to trust beside the system’s')),
  usernameFile: Type.Optional(path('With passwordFile: basic credentials, read again at every fetch')),
  passwordFile: Type.Optional(path('With usernameFile')),
  bearerFile: Type.Optional(path('A bearer token, read again at every fetch')),
});

const Workload = strict({
  name: Type.String({ pattern: WORKLOAD, description: 'NAMESPACE/NAME' }),
  uid: Type.Optional(Type.Integer({ minimum: 0 })),
  gid: Type.Optional(Type.Integer({ minimum: 0 })),
  onChange: Type.Optional(
    strict(
      {
        command: Type.Optional(Type.Array(Type.String(), { minItems: 1, description: 'Run after a change; no shell' })),
        signal: Type.Optional(strict({ name: Type.String({ pattern: '^SIG[A-Z0-9]+$' }), pidFile: path('Whom') })),
        timeout: duration('Of the command; absent: 30s'),
      },
      { description: 'What tells the workload of a change: once for each real change' },
    ),
  ),
});

/** The operator's own file, outside the repository that it watches. */
export const OperatorConfig = strict(
  {
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal('OperatorConfig'),
    metadata: Type.Optional(namedMetadata),
    cluster: Type.String({ pattern: NAME, description: 'The recipient that this operator opens for' }),
    state: strict({ directory: path('Clone, accepted commit, owners, held prunes; no plaintext') }),
    pins: strict({ file: path('Lines of NAME coffer-identity-1-…') }),
    keys: strict({ directory: path('KID.key files') }),
    sources: Type.Array(strict({ git: Git }), { minItems: 1 }),
    projections: Type.Array(
      strict({
        directory: strict({
          path: Type.Optional(path('On tmpfs or ramfs; absent: $XDG_RUNTIME_DIR/coffer, else /dev/shm/coffer-UID')),
          allowDisk: Type.Optional(Type.Boolean({ description: 'Let plaintext reach a disk' })),
          workloads: Type.Array(Workload),
          heal: duration('Between looks at what others changed; absent: 10s'),
        }),
      }),
      { minItems: 1 },
    ),
    prune: Type.Optional(
      strict({
        maxShare: Type.Optional(
          Type.Number({
            minimum: 0,
            maximum: 1,
            description: 'A commit that prunes a larger share is held; absent: 0.5',
          }),
        ),
      }),
    ),
    audit: strict({ directory: path('The log') }),
    serve: Type.Optional(
      strict({ listen: Type.Optional(Type.String({ description: 'HOST:PORT; absent: 127.0.0.1:8780' })) }),
    ),
  },
  {
    $id: `${SCHEMA_BASE}/operator-config.schema.json`,
    title: 'OperatorConfig',
    description: "An operator's configuration",
  },
);

export type OperatorConfig = Static<typeof OperatorConfig>;
