import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { milliseconds } from '../core/duration.ts';
import { CofferError } from '../core/errors.ts';
import { readDocuments } from '../core/format/document/document.ts';
import { schemaProblems } from '../core/format/document/document-schema.ts';
import type { OperatorConfig } from '../schemas/operator-config.ts';
import type { DirectoryConfig } from './project/directory.ts';

type GitConfig = OperatorConfig['sources'][number]['git'];

/** The operator's configuration with its defaults; paths are absolute, durations in milliseconds. */
export interface OperatorSettings {
  /** The recipient that this operator opens for. */
  cluster: string;
  stateDirectory: string;
  pinsFile: string;
  keyDirectory: string;
  auditDirectory: string;
  sources: { git: GitConfig; interval: number }[];
  projections: DirectoryConfig[];
  /** Between looks at what others changed: the shortest that a projection asks for. */
  heal: number;
  /** A commit that removes a larger share of the secrets is held. */
  maxShare: number;
  listen: { host: string; port: number };
}

const DEFAULTS = { interval: '30s', heal: '10s', maxShare: 0.5, listen: '127.0.0.1:8780' } as const;

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
        'Begin it with `apiVersion: coffer.dev/v1` and `kind: OperatorConfig`; docs/operations.md shows a whole one.',
      data: { file },
    });
  }
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  const config = document.value as OperatorConfig;
  const from = (path: string) => resolve(dirname(file), path);
  const directories = config.projections.map(({ directory }) => directory);
  return {
    cluster: config.cluster,
    stateDirectory: from(config.state.directory),
    pinsFile: from(config.pins.file),
    keyDirectory: from(config.keys.directory),
    auditDirectory: from(config.audit.directory),
    sources: config.sources.map(({ git }) => ({
      git: withPaths(git, from),
      interval: milliseconds(git.interval ?? DEFAULTS.interval),
    })),
    projections: directories.map(({ path, ...rest }) => (path === undefined ? rest : { ...rest, path: from(path) })),
    heal: Math.min(...directories.map(({ heal }) => milliseconds(heal ?? DEFAULTS.heal))),
    maxShare: config.prune?.maxShare ?? DEFAULTS.maxShare,
    listen: parseListen(config.serve?.listen ?? DEFAULTS.listen, () => ({
      file,
      line: document.position(['serve', 'listen']).line,
      column: document.position(['serve', 'listen']).column,
    })),
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

/** Files that are named in a source; a url without a scheme is a path, too. */
function withPaths(git: GitConfig, from: (path: string) => string): GitConfig {
  const resolved = { ...git };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(git.url)) resolved.url = from(git.url);
  for (const key of ['caFile', 'usernameFile', 'passwordFile', 'bearerFile'] as const) {
    const path = git[key];
    if (path !== undefined) resolved[key] = from(path);
  }
  return resolved;
}

/** HOST:PORT, an IPv6 address in brackets; port 0 lets the system choose. */
function parseListen(text: string, place: () => CofferError['data']): { host: string; port: number } {
  const [, ipv6, name, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:/[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new CofferError('CONFIG_LISTEN', 'serve.listen is not HOST:PORT.', {
    advice: 'Write something like "127.0.0.1:8780" or "[::1]:8780".',
    data: place(),
  });
}
