import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import type { Config } from '../../schemas/config.ts';
import { CofferError } from '../errors.ts';
import { isSystemError, undefinedIfMissing } from '../files/system-error.ts';
import { readDocuments } from '../format/document/document.ts';
import { schemaProblems } from '../format/document/document-schema.ts';
import { isInCofferFolder } from './coffer-folder.ts';

/** `.coffer/config.yaml`, relative to the root of the repository. */
export const CONFIG_PATH = '.coffer/config.yaml';

export interface RepositoryConfig {
  /** The random id by which pins know this repository. */
  repository: string;
  rules: readonly { path: string; recipients: readonly string[] }[];
  /** Globs as in gitignore; empty: wherever the file name ends in .yaml, .yml or .json. */
  include: readonly string[];
  ignore: readonly string[];
  requiredRecipients: readonly string[];
  rotatingCluster?: string;
}

/**
 * The root of the repository that holds `from`: the nearest folder above it with `.coffer/`, not looking beyond the git
 * repository. Throws REPOSITORY_NOT_FOUND.
 */
export async function findRoot(from: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    if (await isFolder(join(folder, '.coffer'))) return folder;
    if ((await exists(join(folder, '.git'))) || dirname(folder) === folder) break;
  }
  throw new CofferError('REPOSITORY_NOT_FOUND', `${from} is in no coffer repository: no .coffer/ there or above`, {
    advice: 'Run `coffer init` at the root of the repository.',
    data: { path: from },
  });
}

export async function readConfig(root: string): Promise<RepositoryConfig> {
  const file = join(root, CONFIG_PATH);
  try {
    return configFrom(await readFile(file), CONFIG_PATH);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new CofferError('CONFIG_MISSING', `${CONFIG_PATH} is not there`, {
      advice: 'Run `coffer init`, or get the file back from git.',
      data: { file: CONFIG_PATH },
      cause: error,
    });
  }
}

/** Throws CONFIG_INVALID, or the first problem of its fields. `file` is what errors name. */
export function configFrom(bytes: Uint8Array, file: string): RepositoryConfig {
  const documents = readDocuments(bytes, file).documents;
  const document = documents[0];
  if (document === undefined || documents.length > 1 || document.kind !== 'Config') {
    throw new CofferError('CONFIG_INVALID', 'this file must hold one document, of kind Config', {
      advice: 'Compare it with the example in docs/format.md.',
      data: { file, line: 1 },
    });
  }
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  const { spec } = document.value as Config;
  return {
    repository: spec.repository,
    rules: spec.rules ?? [],
    include: spec.include ?? [],
    ignore: spec.ignore ?? [],
    requiredRecipients: spec.requiredRecipients ?? [],
    ...(spec.rotatingCluster === undefined ? {} : { rotatingCluster: spec.rotatingCluster }),
  };
}

/**
 * Whether manifests are looked for in this file. `path` is relative to the root, with `/`. Never in `.git`, `node_modules`,
 * `.coffer`, and what could be taken for that.
 */
export function isManifestPath(config: RepositoryConfig, path: string): boolean {
  if (isIgnored(config, path) || isInCofferFolder(path)) return false;
  const { included } = globsOf(config);
  return included === undefined ? USUAL.test(path) : included.ignores(path);
}

/** Whether the repository asks to leave this path alone: its `ignore` globs, `.git` and `node_modules`; not `include`. */
export function isIgnored(config: RepositoryConfig, path: string): boolean {
  return SKIPPED.test(path) || globsOf(config).ignored.ignores(path);
}

/** The recipients that a new manifest at `path` gets: of the first rule that matches, and the required ones. */
export function recipientsForPath(config: RepositoryConfig, path: string): string[] {
  const rule = config.rules.find((candidate) => globs([candidate.path]).ignores(path));
  return [...new Set([...(rule?.recipients ?? []), ...(rule === undefined ? [] : config.requiredRecipients)])];
}

/** Git's own, and what other people publish. */
const SKIPPED = /(?:^|\/)(?:\.git|node_modules)(?:\/|$)/;
const USUAL = /\.(?:ya?ml|json)$/;

interface Globs {
  included: Ignore | undefined;
  ignored: Ignore;
}

/** Compiled once for each configuration: a check asks for thousands of paths. */
const compiled = new WeakMap<RepositoryConfig, Globs>();

function globsOf(config: RepositoryConfig): Globs {
  const known = compiled.get(config) ?? {
    included: config.include.length === 0 ? undefined : globs(config.include),
    ignored: globs(config.ignore),
  };
  compiled.set(config, known);
  return known;
}

function globs(patterns: readonly string[]): Ignore {
  return ignore().add([...patterns]);
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(undefinedIfMissing);
  return found?.isDirectory() === true;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(undefinedIfMissing)) !== undefined;
}
