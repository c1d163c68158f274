import Type, { type Static, type TOptional, type TProperties } from 'typebox';
import { Git } from './git-source.ts';
import { API_VERSION, DURATION, MANIFEST_NAME, NAME, NAMESPACE_GLOB, SCHEMA_BASE, WORKLOAD } from './grammar.ts';
import { namedMetadata, strict } from './metadata.ts';
import { Rotator } from './rotator.ts';

const duration = (description: string) => Type.Optional(Type.String({ pattern: DURATION, description }));
const path = (description: string) => Type.String({ minLength: 1, description });

/** An object with exactly one of these fields: which one says what it is. */
function oneOf<Properties extends TProperties>(choices: Properties) {
  const fields = Object.fromEntries(Object.entries(choices).map(([name, schema]) => [name, Type.Optional(schema)]));
  return strict(fields as { [Name in keyof Properties]: TOptional<Properties[Name]> }, {
    minProperties: 1,
    maxProperties: 1,
  });
}

const namespaces = (description: string) =>
  Type.Array(Type.String({ pattern: NAMESPACE_GLOB }), { minItems: 1, description });

const EncryptedSecrets = strict(
  {
    namespaces: namespaces('Names or globs: where EncryptedSecret objects that others apply are looked at'),
    unverified: Type.Optional(
      Type.Array(Type.String({ pattern: NAMESPACE_GLOB }), {
        description: 'Names or globs: where an object is projected although no accepted commit has it; absent: nowhere',
      }),
    ),
  },
  { description: 'EncryptedSecret objects that Argo CD, Flux or people apply to this cluster' },
);

const KubernetesSecrets = strict(
  {
    namespaces: namespaces(
      'Names or globs: where Secrets may be written; names only let RBAC stay in those namespaces',
    ),
    readers: Type.Optional(
      Type.Boolean({ description: 'Write the objects that the admission policy for readers looks at; absent: true' }),
    ),
    restart: Type.Optional(
      Type.Boolean({ description: 'Roll workloads that ask for it by coffer.dev/restart-on-change; absent: true' }),
    ),
    resync: duration('Between looks at all Secrets; absent: 10m'),
  },
  { description: 'Kubernetes Secrets' },
);

const Volumes = strict(
  {
    namespaces: namespaces('Names or globs: whose pods may mount'),
    listen: Type.Optional(Type.String({ description: 'HOST:PORT, TLS; absent: 0.0.0.0:8790' })),
    names: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'DNS names of the serving certificate; absent: those of the Service coffer-operator',
      }),
    ),
  },
  { description: 'CSI volumes: pods get their entries on tmpfs and never through a Secret; also break-glass reading' },
);

const Kubernetes = strict(
  {
    kubeconfig: Type.Optional(path('Absent: the ServiceAccount of the pod')),
    context: Type.Optional(Type.String({ minLength: 1, description: 'Of the kubeconfig; absent: its current one' })),
    namespace: Type.Optional(
      Type.String({ pattern: NAME, description: "The operator's own; absent: that of its pod, else coffer-system" }),
    ),
    leaderElection: Type.Optional(
      strict({
        lease: Type.Optional(Type.String({ pattern: NAME, description: 'Absent: coffer-operator' })),
        duration: duration('How long others wait for a silent leader; absent: 15s'),
      }),
    ),
  },
  { description: 'The cluster that the operator serves' },
);

const KeyPlace = oneOf({
  directory: path('KID.key files'),
  kubernetesSecret: strict(
    { name: Type.Optional(Type.String({ pattern: MANIFEST_NAME, description: 'Absent: coffer-keys' })) },
    { description: "A Secret in the operator's namespace: KID.key and CLUSTER.identity" },
  ),
  command: strict(
    {
      run: Type.Array(Type.String(), { minItems: 1, description: 'Program and arguments; no shell' }),
      timeout: duration('Absent: 30s'),
    },
    { description: 'A program that speaks for a KMS or a vault: docs/operations.md, "Keys by a command"' },
  ),
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

const Directory = strict({
  path: Type.Optional(path('On tmpfs or ramfs; absent: $XDG_RUNTIME_DIR/coffer, else /dev/shm/coffer-UID')),
  allowDisk: Type.Optional(Type.Boolean({ description: 'Let plaintext reach a disk' })),
  workloads: Type.Array(Workload),
  heal: duration('Between looks at what others changed; absent: 10s'),
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
    keys: KeyPlace,
    kubernetes: Type.Optional(Kubernetes),
    sources: Type.Array(oneOf({ git: Git, encryptedSecrets: EncryptedSecrets }), { minItems: 1 }),
    projections: Type.Array(oneOf({ directory: Directory, kubernetesSecrets: KubernetesSecrets, volumes: Volumes }), {
      minItems: 1,
    }),
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
    audit: strict({
      directory: path('The log: docs/audit.md'),
      stdout: Type.Optional(Type.Boolean({ description: 'Each record is a line of the output as well; absent: true' })),
      keep: duration('Older records are forgotten, and their hashes stay; absent: for ever'),
    }),
    rotation: Type.Optional(
      strict(
        {
          grace: duration('How long a key that is retired stays, whoever asks for its deletion; absent: 30d'),
          rotators: Type.Optional(Type.Array(Rotator)),
        },
        { description: 'Of keys and of values: docs/rotation.md' },
      ),
    ),
    serve: Type.Optional(
      strict({
        listen: Type.Optional(Type.String({ description: 'HOST:PORT; absent: 127.0.0.1:8780' })),
        webhooks: Type.Optional(
          strict(
            {
              listen: Type.String({ description: 'HOST:PORT; a port of its own, which may be shown to a forge' }),
              certFile: Type.Optional(path('PEM, with keyFile: TLS; absent: behind something that ends it')),
              keyFile: Type.Optional(path('PEM, with certFile')),
            },
            { description: 'Where forges say that something was pushed' },
          ),
        ),
      }),
    ),
  },
  {
    $id: `${SCHEMA_BASE}/operator-config.schema.json`,
    title: 'OperatorConfig',
    description: "An operator's configuration",
  },
);

export type OperatorConfig = Static<typeof OperatorConfig>;
