import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { milliseconds } from '../../core/duration.ts';
import { Bug, CofferError } from '../../core/errors.ts';
import { readDocuments } from '../../core/format/document/document.ts';
import { schemaProblems } from '../../core/format/document/document-schema.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';
import { refuseContradictions } from './contradictions.ts';
import type {
  Address,
  GitConfig,
  KeyPlace,
  KubernetesSettings,
  OperatorSettings,
  SecretsSettings,
  WebhooksSettings,
} from './settings.ts';

const DEFAULTS = {
  interval: '30s',
  heal: '10s',
  maxShare: 0.5,
  listen: '127.0.0.1:8780',
  keysSecret: 'coffer-keys',
  keysTimeout: '30s',
  lease: 'coffer-operator',
  leaseDuration: '15s',
  resync: '10m',
  volumesListen: '0.0.0.0:8790',
  grace: '30d',
} as const;

/**
 * Reads the operator's configuration. Relative paths in it are relative to its folder. Throws CofferError with file, line and
 * column: `CONFIG_*`, and `DOCUMENT_*` for what the schema or the strict reading of YAML refuses.
 */
export async function readSettings(file: string): Promise<OperatorSettings> {
  const bytes = await readBytes(file);
  try {
    return settingsFrom(bytes, file);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const { code, message, advice, data } = error;
    throw new CofferError(code, message, { advice, data, exit: 2, loop: 'stop', cause: error });
  }
}

function settingsFrom(bytes: Uint8Array, file: string): OperatorSettings {
  const { documents } = readDocuments(bytes, file);
  const [document] = documents;
  if (document?.kind !== 'OperatorConfig' || documents.length > 1) {
    throw new CofferError('CONFIG_KIND', 'This file is not one document of kind OperatorConfig.', {
      advice:
        'Begin it with `apiVersion: coffer.dev/v1` and `kind: OperatorConfig`; docs/plain-host.md shows a whole one.',
      data: { file },
    });
  }
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  const config = document.value as OperatorConfig;
  const from = (path: string) => resolve(dirname(file), path);
  const address = (text: string, ...path: (string | number)[]) =>
    parseListen(text, () => {
      const { line, column } = document.position(path);
      return { file, line, column };
    });
  const at = { file, line: document.position(['sources']).line };
  refuseContradictions(config, at);
  const only = <Value>(values: readonly (Value | undefined)[], name: string) => onlyOne(values, name, at);
  const directories = config.projections.flatMap(({ directory }) => (directory === undefined ? [] : [directory]));
  const objects = only(
    config.sources.map(({ encryptedSecrets }) => encryptedSecrets),
    'sources: encryptedSecrets',
  );
  const secrets = only(
    config.projections.map(({ kubernetesSecrets }) => kubernetesSecrets),
    'projections: kubernetesSecrets',
  );
  const volumes = only(
    config.projections.map((projection) => projection.volumes),
    'projections: volumes',
  );
  const needsKubernetes = [objects, secrets, volumes, config.keys.kubernetesSecret].some((part) => part !== undefined);
  return {
    cluster: config.cluster,
    stateDirectory: from(config.state.directory),
    pinsFile: from(config.pins.file),
    keys: keyPlace(config.keys, from),
    audit: auditFrom(config.audit, from),
    rotation: rotationFrom(config.rotation ?? {}, from),
    ...(config.kubernetes === undefined && !needsKubernetes
      ? {}
      : { kubernetes: kubernetesFrom(config.kubernetes ?? {}, from) }),
    sources: config.sources.flatMap(({ git }) =>
      git === undefined
        ? []
        : [{ git: withPaths(git, from), interval: milliseconds(git.interval ?? DEFAULTS.interval) }],
    ),
    ...(objects === undefined
      ? {}
      : { objects: { namespaces: objects.namespaces, unverified: objects.unverified ?? [] } }),
    directories: directories.map(({ path, ...rest }) => (path === undefined ? rest : { ...rest, path: from(path) })),
    ...(secrets === undefined ? {} : { secrets: secretsFrom(secrets) }),
    ...(volumes === undefined
      ? {}
      : { volumes: { ...volumes, listen: address(volumes.listen ?? DEFAULTS.volumesListen, 'projections') } }),
    heal: Math.min(
      ...[...directories.map(({ heal }) => heal), DEFAULTS.heal].map((heal) => milliseconds(heal ?? DEFAULTS.heal)),
    ),
    maxShare: config.prune?.maxShare ?? DEFAULTS.maxShare,
    ...(config.serve?.webhooks === undefined ? {} : { webhooks: webhooksFrom(config.serve.webhooks, from, address) }),
    listen: address(config.serve?.listen ?? DEFAULTS.listen, 'serve', 'listen'),
  };
}

/** Two of a kind that there is one of in a cluster would be at odds with each other. */
function onlyOne<Value>(
  values: readonly (Value | undefined)[],
  name: string,
  data: CofferError['data'],
): Value | undefined {
  const [first, second] = values.filter((value) => value !== undefined);
  if (second === undefined) return first;
  throw new CofferError('CONFIG_TWICE', `This configuration has ${name} twice.`, {
    advice: 'Keep one, with the namespaces of both.',
    data,
  });
}

function keyPlace(
  { directory, kubernetesSecret, command }: OperatorConfig['keys'],
  from: (path: string) => string,
): KeyPlace {
  if (kubernetesSecret !== undefined)
    return { kind: 'kubernetesSecret', name: kubernetesSecret.name ?? DEFAULTS.keysSecret };
  if (command !== undefined)
    return { kind: 'command', run: command.run, timeout: milliseconds(command.timeout ?? DEFAULTS.keysTimeout) };
  if (directory !== undefined) return { kind: 'directory', directory: from(directory) };
  throw new Bug('the schema asks for one place of keys');
}

function kubernetesFrom(
  { kubeconfig, leaderElection = {}, ...rest }: NonNullable<OperatorConfig['kubernetes']>,
  from: (path: string) => string,
): KubernetesSettings {
  return {
    ...rest,
    ...(kubeconfig === undefined ? {} : { kubeconfig: from(kubeconfig) }),
    leaderElection: {
      lease: leaderElection.lease ?? DEFAULTS.lease,
      duration: milliseconds(leaderElection.duration ?? DEFAULTS.leaseDuration),
    },
  };
}

function auditFrom(
  { directory, stdout = true, keep }: OperatorConfig['audit'],
  from: (path: string) => string,
): OperatorSettings['audit'] {
  return { directory: from(directory), stdout, ...(keep === undefined ? {} : { keep: milliseconds(keep) }) };
}

function rotationFrom(
  { grace = DEFAULTS.grace, rotators = [] }: NonNullable<OperatorConfig['rotation']>,
  from: (path: string) => string,
): OperatorSettings['rotation'] {
  const resolved = rotators.map(({ postgres, ...rotator }) => {
    if (postgres === undefined) return rotator;
    const { urlFile, caFile, ...others } = postgres;
    const files = { urlFile: from(urlFile), ...(caFile === undefined ? {} : { caFile: from(caFile) }) };
    return { ...rotator, postgres: { ...others, ...files } };
  });
  return { grace: milliseconds(grace), rotators: resolved };
}

function secretsFrom({
  namespaces,
  readers = true,
  restart = true,
  resync = DEFAULTS.resync,
}: NonNullable<OperatorConfig['projections'][number]['kubernetesSecrets']>): SecretsSettings {
  return { namespaces, readers, restart, resync: milliseconds(resync) };
}

function webhooksFrom(
  { listen, certFile, keyFile }: NonNullable<NonNullable<OperatorConfig['serve']>['webhooks']>,
  from: (path: string) => string,
  address: (text: string, ...path: (string | number)[]) => Address,
): WebhooksSettings {
  return {
    listen: address(listen, 'serve', 'webhooks', 'listen'),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { tls: { certFile: from(certFile), keyFile: from(keyFile) } }),
  };
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
    throw new CofferError('CONFIG_UNREADABLE', `The configuration could not be read (${error.code}).`, {
      advice: "Give the operator's file with --config FILE, and let the operator's user read it.",
      data: { file },
      loop: 'stop',
      cause: error,
    });
  }
}

const GIT_FILES = [
  'caFile',
  'clientCertFile',
  'clientKeyFile',
  'usernameFile',
  'passwordFile',
  'bearerFile',
  'sshKeyFile',
  'sshPassphraseFile',
  'knownHostsFile',
] as const;

/** Files that are named in a source; a url without a scheme is a path, too, unless it is USER@HOST:PATH. */
function withPaths(git: GitConfig, from: (path: string) => string): GitConfig {
  const resolved = { ...git };
  if (!/^[a-z][a-z0-9+.-]*:\/\/|^[^/]+:/i.test(git.url)) resolved.url = from(git.url);
  for (const key of GIT_FILES) {
    const path = git[key];
    if (path !== undefined) resolved[key] = from(path);
  }
  const { webhook, trust } = git;
  if (webhook !== undefined) resolved.webhook = { ...webhook, secretFile: from(webhook.secretFile) };
  if (trust?.policy !== undefined) resolved.trust = { ...trust, policy: from(trust.policy) };
  return resolved;
}

/** HOST:PORT, an IPv6 address in brackets; port 0 lets the system choose. */
function parseListen(text: string, place: () => CofferError['data']): Address {
  const [, ipv6, name, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:/[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new CofferError('CONFIG_LISTEN', 'This is not HOST:PORT.', {
    advice: 'Write something like "127.0.0.1:8780" or "[::1]:8780".',
    data: place(),
  });
}
