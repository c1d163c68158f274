import type { CofferError } from '../../../core/errors.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import { COFFER_FOLDER } from '../../source/open-git-source.ts';
import { ownRecipients, type RepositorySettings, readRepositorySettings } from '../../source/repository-settings.ts';
import type { Accepted, Source } from '../../source/source.ts';
import type { HeldPath } from '../../trust/held-path.ts';
import type { Claim, Origin, Place, Version } from './claim.ts';
import { History } from './history.ts';
import { ManifestIndex } from './manifests.ts';
import { originsOf } from './origin.ts';
import type { State } from './state.ts';
import type { Advance, ReadManifest, Update, Watched } from './watched.ts';

/** A git source with what its accepted state holds. */
export class GitWatched implements Watched {
  readonly #source: Source;
  readonly #index: ManifestIndex;
  trouble: CofferError | undefined;
  /** Whether it has been looked at in this run. */
  isLooked = false;
  /** Whether the cluster knows more than the state directory: the state that was accepted by an earlier run is not shown then. */
  isDoubted = false;
  readonly #cluster: string;
  /** The newest state, which the index may not have reached. */
  #newest: Accepted | undefined;
  #current: { state: Accepted; settings: RepositorySettings; cofferTree: string | undefined } | undefined;
  #own: ReadonlySet<string>;

  constructor(source: Source, cluster: string, namespaces: () => Iterable<string>) {
    this.#source = source;
    this.#cluster = cluster;
    this.#own = new Set([cluster]);
    this.#index = new ManifestIndex({
      source: source.id,
      repository: source.repository,
      under: source.path,
      namespaces,
    });
  }

  get id(): string {
    return this.#source.id;
  }

  get address(): string {
    return this.#source.address;
  }

  /** Whether its manifests are projected; else it only vouches for objects that others carry. */
  get isCarrier(): boolean {
    return this.#source.carriedBy === 'operator';
  }

  get isKnown(): boolean {
    return this.#current !== undefined;
  }

  /** That the claims show. */
  get commit(): string | undefined {
    return this.#current?.state.commit;
  }

  /** The state that the claims show. */
  get shown(): Accepted | undefined {
    return this.#current?.state;
  }

  get accepted(): Accepted | undefined {
    return this.#newest;
  }

  get held(): readonly HeldPath[] {
    return this.#source.held;
  }

  heldAt(path: string): HeldPath | undefined {
    return this.held.find((one) => one.path === path);
  }

  get keyring(): Keyring | undefined {
    return this.#current?.settings.keyring;
  }

  /** Recipients that this cluster is: itself, and its groups. */
  get own(): ReadonlySet<string> {
    return this.#own;
  }

  /** What `advance` moves to; it need not be newer than what is shown. */
  take(state: Accepted): void {
    this.#newest = state;
  }

  /** The state that was accepted last, also by an earlier run. */
  async takeAccepted(): Promise<void> {
    this.#newest = await this.#source.accepted();
  }

  claims(): Iterable<Claim> {
    return this.#index.claims();
  }

  isSeen(): boolean {
    return this.isLooked;
  }

  problemsOf(path: string): readonly CofferError[] {
    return this.#index.problemsOf(path);
  }

  problems(): CofferError[] {
    const { trouble } = this.#source;
    return [...(trouble === undefined ? [] : [trouble]), ...this.refused()];
  }

  /** What is wrong with files of the state that is shown. */
  refused(): CofferError[] {
    return [...(this.#current?.settings.problems ?? []), ...this.#index.problems()];
  }

  isOurs(claim: Claim): boolean {
    return claim.recipients.some((recipient) => this.#own.has(recipient));
  }

  isUnreadable({ path }: Place): boolean {
    return this.#index.isUnreadable(path);
  }

  async read(version: Version): Promise<ReadManifest> {
    return { manifest: await this.#index.manifest(version) };
  }

  /** The audit log has this state, and all is done: lets the clone forget what neither it nor anything that was projected needs. */
  async settled(state: Accepted, memory: State): Promise<void> {
    const { id } = this;
    await this.#source.told(state);
    function* needed(): Generator<string> {
      for (const [, { good }] of memory.secrets()) if (good?.source === id) yield good.blob;
      yield* memory.goodFiles(id).values();
    }
    await this.#source.compact(needed());
  }

  reach(): Update {
    return this.#index.reach();
  }

  /** Of the state that was taken last. */
  history(): History | undefined {
    return this.#newest && new History(this.#source.repository, this.#newest.commit);
  }

  /** Throws where objects cannot be read; then nothing has changed. */
  async advance(memory: State): Promise<Advance | undefined> {
    const state = this.#newest;
    const before = this.#current;
    if (state === undefined || (before !== undefined && isSame(state, before.state))) return undefined;
    if (this.isDoubted && !this.isLooked) return undefined;
    const { repository } = this.#source;
    const cofferTree = (await repository.entryAt(state.tree, COFFER_FOLDER))?.oid;
    const hasNewSettings = before === undefined || cofferTree !== before.cofferTree;
    const settings = hasNewSettings
      ? await readRepositorySettings(repository, state.tree, memory.goodFiles(this.id))
      : before.settings;
    const isSameConfig =
      before !== undefined && JSON.stringify(settings.config) === JSON.stringify(before.settings.config);
    const config = isSameConfig ? before.settings.config : settings.config;
    const isSameRule = isSameConfig && before.state.reach.key === state.reach.key;
    const from = isSameRule ? before.state.tree : null;
    const update = await this.#index.advance(from, state.tree, { config, reach: state.reach }, (changes) =>
      this.#origins(state, before?.state, changes, memory),
    );
    this.#current = { state, settings: { ...settings, config }, cofferTree };
    this.#own = ownRecipients(settings.keyring, this.#cluster);
    if (hasNewSettings) memory.setGoodFiles(this.id, settings.good);
    return { ...update, hasNewKeyring: hasNewSettings };
  }

  async #origins(
    state: Accepted,
    before: Accepted | undefined,
    changes: Parameters<typeof originsOf>[3],
    memory: State,
  ): Promise<(path: string, blob: string) => Origin> {
    const { repository, id } = this.#source;
    // What was held back came with a commit that is older than the one that was accepted before.
    if (before !== undefined) {
      const since = before.held.length === 0 ? before.commit : before.since;
      return originsOf(repository, state.commit, since, changes);
    }
    // After a start the journal knows more than a shallow clone's history.
    const known = new Map<string, Origin>();
    for (const [, { good }] of memory.secrets()) {
      if (good?.source === id) known.set(`${good.blob} ${good.path}`, good);
    }
    const fallback = { commit: state.commit, author: state.author, time: state.time };
    return (path, blob) => {
      const { commit, author, time } = known.get(`${blob} ${path}`) ?? fallback;
      return { commit, author, time };
    };
  }
}

/** What counts of a commit may be another by another policy, and so may be where its manifests may write. */
function isSame(one: Accepted, other: Accepted): boolean {
  return one.commit === other.commit && one.tree === other.tree && one.reach.key === other.reach.key;
}
