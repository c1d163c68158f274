import { CONFIG_PATH, configFrom, type RepositoryConfig } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import type { Repository } from '../../core/git/repository.ts';
import { isFile } from '../../core/git/trees/tree.ts';
import { type Keyring, keyringFrom, RECIPIENTS_FOLDER } from '../../core/keys/keyring.ts';

/** Path → blob of the files of `.coffer` that were read without an error last. */
export type GoodFiles = ReadonlyMap<string, string>;

/** What an accepted state says of itself: its configuration and its keyring. */
export interface RepositorySettings {
  config: RepositoryConfig;
  keyring: Keyring;
  problems: readonly CofferError[];
  /** The files that were read without an error: what stands in for them when they are broken later. */
  good: GoodFiles;
}

/** Of a repository without a configuration. */
const DEFAULTS: RepositoryConfig = { repository: '', rules: [], include: [], ignore: [], requiredRecipients: [] };

/**
 * Reads `.coffer` of a tree. A file that is wrong is a problem, and its last good version counts on: a typing error in a
 * group's file does not take the group's secrets away. A file that is gone is gone.
 */
export async function readRepositorySettings(
  repository: Repository,
  tree: string,
  before: GoodFiles,
): Promise<RepositorySettings> {
  const ring = await readRing(repository, tree, before);
  const { config, problem, blob } = await readConfig(repository, tree, before.get(CONFIG_PATH));
  const good = new Map(ring.good);
  if (blob !== undefined) good.set(CONFIG_PATH, blob);
  return {
    config,
    keyring: ring.keyring,
    problems: problem === undefined ? ring.problems : [...ring.problems, problem],
    good,
  };
}

/** The recipients that an operator is: its cluster, and the groups that have the cluster as a member. */
export function ownRecipients(keyring: Keyring, cluster: string): Set<string> {
  const groups = [...keyring.recipients.values()].filter(({ members }) => members.includes(cluster));
  return new Set([cluster, ...groups.map(({ name }) => name)]);
}

interface Ring {
  keyring: Keyring;
  problems: readonly CofferError[];
  good: Map<string, string>;
}

async function readRing(repository: Repository, tree: string, before: GoodFiles): Promise<Ring> {
  const blobs = new Map<string, string>();
  const folder = await repository.entryAt(tree, RECIPIENTS_FOLDER);
  for (const entry of folder === undefined ? [] : (await repository.readTree(folder.oid)).entries) {
    if (isFile(entry)) blobs.set(`${RECIPIENTS_FOLDER}/${entry.name}`, entry.oid);
  }
  const read = async (versions: ReadonlyMap<string, string>): Promise<Keyring> => {
    const files = Array.from(versions, async ([path, blob]) => ({ path, bytes: await repository.readBlob(blob) }));
    return keyringFrom(await Promise.all(files));
  };
  const { problems, ...rest } = await read(blobs);
  if (problems.length === 0) return { keyring: { problems, ...rest }, problems, good: blobs };
  const good = new Map(blobs);
  for (const { data } of problems) {
    const last = data.file === undefined ? undefined : before.get(data.file);
    if (data.file !== undefined) good.delete(data.file);
    if (data.file !== undefined && last !== undefined) good.set(data.file, last);
  }
  return { keyring: await read(good), problems, good };
}

async function readConfig(
  repository: Repository,
  tree: string,
  last: string | undefined,
): Promise<{ config: RepositoryConfig; problem?: CofferError; blob?: string }> {
  const entry = await repository.entryAt(tree, CONFIG_PATH);
  if (entry === undefined) return { config: DEFAULTS };
  const read = async (blob: string): Promise<RepositoryConfig> =>
    configFrom(await repository.readBlob(blob), CONFIG_PATH);
  try {
    return { config: await read(entry.oid), blob: entry.oid };
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    if (last === undefined) return { config: DEFAULTS, problem: error };
    return { config: await read(last), problem: error, blob: last };
  }
}
