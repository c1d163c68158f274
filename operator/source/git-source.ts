import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { milliseconds } from '../../core/duration.ts';
import { CofferError } from '../../core/errors.ts';
import { descendsFrom } from '../../core/git/ancestors.ts';
import type { Repository } from '../../core/git/repository.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';
import { parseAddress } from './address.ts';
import { Clone, type Quarantine } from './clone.ts';
import { isConfirmed } from './confirmations.ts';
import { sourceFault } from './faults.ts';
import { assertWhole } from './inspect.ts';
import { openRemote } from './open-remote.ts';
import type { Head, Remote } from './remote.ts';
import type { Accepted, Source } from './source.ts';

export type GitSourceConfig = NonNullable<OperatorConfig['sources'][number]['git']>;

/** Where the keyring and the repository's configuration are. */
export const COFFER_FOLDER = '.coffer';

const DEFAULT_BRANCH = 'main';
const DEFAULT_TIMEOUT = '60s';

/**
 * Opens (or makes) the source's own clone under `STATE/sources/ID`; touches neither network nor remote. Throws
 * `SOURCE_URL_INVALID`, `SOURCE_PATH_INVALID`.
 */
export async function openGitSource(config: GitSourceConfig, stateDirectory: string): Promise<Source> {
  const address = parseAddress(config.url, config.path ?? '.', config.allowHttp === true);
  const branch = config.branch ?? DEFAULT_BRANCH;
  const id = createHash('sha256')
    .update(JSON.stringify([address.text, branch, address.path]))
    .digest('hex')
    .slice(0, 16);
  const remote = openRemote(config, address, [COFFER_FOLDER, address.path]);
  const clone = await Clone.open(join(stateDirectory, 'sources', id));
  const timeout = milliseconds(config.timeout ?? DEFAULT_TIMEOUT);
  const { carriedBy = 'operator' } = config;
  return new GitSource({
    id,
    address: address.text,
    carriedBy,
    path: address.path,
    clone,
    remote,
    timeout,
    stateDirectory,
  });
}

interface Parts {
  id: string;
  address: string;
  carriedBy: Source['carriedBy'];
  path: string;
  clone: Clone;
  remote: Remote;
  /** Of a poll, in milliseconds. */
  timeout: number;
  stateDirectory: string;
}

class GitSource implements Source {
  readonly id: string;
  readonly address: string;
  readonly carriedBy: Source['carriedBy'];
  readonly path: string;
  readonly repository: Repository;
  readonly held = [];
  readonly #clone: Clone;
  readonly #remote: Remote;
  readonly #timeout: number;
  readonly #stateDirectory: string;
  /** A commit that was fetched and refused: it is not fetched again until somebody confirms it. */
  #refused: { commit: string; error: CofferError } | undefined;

  /** A commit that this run accepted, or began to: its state is handed on even where something failed after the ref moved. */
  #untold: string | undefined;

  constructor(parts: Parts) {
    this.id = parts.id;
    this.address = parts.address;
    this.carriedBy = parts.carriedBy;
    this.path = parts.path;
    this.#clone = parts.clone;
    this.#remote = parts.remote;
    this.#timeout = parts.timeout;
    this.#stateDirectory = parts.stateDirectory;
    this.repository = parts.clone.repository;
  }

  async accepted(): Promise<Accepted | undefined> {
    const commit = await this.#clone.accepted();
    return commit === undefined ? undefined : this.#describe(this.repository, commit);
  }

  async acceptedAt(): Promise<Date | undefined> {
    return undefined;
  }

  async poll(signal: AbortSignal): Promise<Accepted | 'unchanged'> {
    const timeout = AbortSignal.timeout(this.#timeout);
    try {
      return await this.#look(AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      if (!timeout.aborted) throw error;
      throw sourceFault('SOURCE_TIMEOUT', { address: this.address, cause: error });
    }
  }

  async close(): Promise<void> {
    this.#remote.close();
    this.#clone.close();
  }

  async #look(signal: AbortSignal): Promise<Accepted | 'unchanged'> {
    const previous = await this.#clone.accepted();
    const head = await this.#remote.head(signal);
    const { commit } = head;
    if (commit === previous) {
      this.#refused = undefined;
      if (commit !== this.#untold) return 'unchanged';
      const state = await this.#describe(this.repository, commit);
      this.#untold = undefined;
      return state;
    }
    if (commit === this.#refused?.commit && !(await this.#isConfirmed(commit))) throw this.#refused.error;
    const state = await this.#take(head, previous, signal);
    this.#refused = undefined;
    this.#untold = undefined;
    return state;
  }

  async #take(head: Head, previous: string | undefined, signal: AbortSignal): Promise<Accepted> {
    const quarantine = await this.#clone.quarantine();
    try {
      const { commit } = head;
      await this.#remote.fetch(quarantine, head, { isWhole: false }, signal);
      const state = await this.#inspect(quarantine, commit, previous);
      this.#untold = commit;
      await this.#clone.adopt(quarantine, commit);
      return state;
    } finally {
      await quarantine.discard();
    }
  }

  /** Looks whether everything is there, and whether it may follow what was accepted. */
  async #inspect(quarantine: Quarantine, commit: string, previous: string | undefined): Promise<Accepted> {
    const { repository } = quarantine;
    if (!quarantine.isIntact()) throw sourceFault('SOURCE_INCOMPLETE', { address: this.address, commit });
    const parts = [COFFER_FOLDER, this.path];
    await assertWhole(repository, { commit, previous, parts, address: this.address });
    const refuse = async (error: CofferError): Promise<void> => {
      if (await this.#isConfirmed(commit)) return;
      this.#refused = { commit, error };
      throw error;
    };
    const state = await this.#describe(repository, commit);
    if (previous !== undefined && !(await descendsFrom(repository, commit, previous))) {
      await refuse(rewound(this.address, commit, previous));
    }
    if ((await repository.readTree(state.tree)).entries.length === 0) await refuse(emptied(this.address, commit));
    if ((await repository.entryAt(state.tree, this.path)) === undefined) {
      await refuse(pathMissing(this.address, commit, this.path));
    }
    return state;
  }

  async #describe(repository: Repository, commit: string): Promise<Accepted> {
    const { tree, author } = await repository.readCommit(commit);
    const { name, email, time } = author;
    return { source: this.id, commit, tree, author: { name, email }, time, basis: 'unsigned', held: [], returns: [] };
  }

  #isConfirmed(commit: string): Promise<boolean> {
    return isConfirmed(this.#stateDirectory, commit);
  }
}

const confirmAdvice = (commit: string): string =>
  `If it was meant, run \`coffer-operator --config FILE --confirm ${commit}\`.`;

function rewound(address: string, commit: string, previous: string): CofferError {
  const message = `${address}: the branch was rewound or replaced: ${commit} does not descend from the accepted ${previous}`;
  return new CofferError('SOURCE_REWOUND', message, {
    advice: `Push a commit that descends from ${previous}. ${confirmAdvice(commit)}`,
    data: { source: address, commit },
  });
}

function emptied(address: string, commit: string): CofferError {
  return new CofferError('SOURCE_EMPTIED', `${address}: the commit ${commit} holds no file at all`, {
    advice: `Revert it. ${confirmAdvice(commit)}`,
    data: { source: address, commit },
  });
}

function pathMissing(address: string, commit: string, path: string): CofferError {
  return new CofferError('SOURCE_PATH_MISSING', `${address}: the commit ${commit} has no folder ${path}`, {
    advice: `Check \`path\` in the configuration, or push the folder again. ${confirmAdvice(commit)}`,
    data: { source: address, commit, path },
  });
}
