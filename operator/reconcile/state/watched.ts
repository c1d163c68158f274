import type { CofferError } from '../../../core/errors.ts';
import { COFFER_FOLDER } from '../../source/git-source.ts';
import type { Accepted, Source } from '../../source/source.ts';
import type { Claim, Origin, Place } from './claim.ts';
import { type IndexUpdate, ManifestIndex } from './manifests.ts';
import { originsOf } from './origin.ts';
import { ownRecipients, readSettings, type Settings } from './settings.ts';
import type { State } from './state.ts';

export interface Advance {
  update: IndexUpdate;
  /** The keyring is another: what could not be opened may now be. */
  hasNewKeyring: boolean;
}

/** A source with what its accepted state holds. */
export class Watched {
  readonly source: Source;
  readonly index: ManifestIndex;
  /** Of the last poll, when it failed. */
  trouble: CofferError | undefined;
  readonly #cluster: string;
  #current: { state: Accepted; settings: Settings; cofferTree: string | undefined } | undefined;
  #own: ReadonlySet<string>;

  constructor(source: Source, cluster: string, namespaces: readonly string[]) {
    this.source = source;
    this.#cluster = cluster;
    this.#own = new Set([cluster]);
    this.index = new ManifestIndex({
      source: source.id,
      repository: source.repository,
      under: source.path,
      namespaces,
    });
  }

  /** The state that the index shows. */
  get state(): Accepted | undefined {
    return this.#current?.state;
  }

  get settings(): Settings | undefined {
    return this.#current?.settings;
  }

  problems(): CofferError[] {
    return [...(this.settings?.problems ?? []), ...this.index.problems()];
  }

  /** Whether it is sealed to this cluster or to a group that the cluster is in. */
  isOurs(claim: Claim): boolean {
    return claim.recipients.some((recipient) => this.#own.has(recipient));
  }

  isUnreadable({ path }: Place): boolean {
    return this.index.isUnreadable(path);
  }

  /** Takes the index to a new state. Throws where objects cannot be read; then nothing has changed. */
  async advance(state: Accepted, memory: State): Promise<Advance> {
    const { repository } = this.source;
    const before = this.#current;
    const cofferTree = (await repository.entryAt(state.tree, COFFER_FOLDER))?.oid;
    const hasNewSettings = before === undefined || cofferTree !== before.cofferTree;
    const settings = hasNewSettings
      ? await readSettings(repository, state.tree, memory.goodFiles(this.source.id))
      : before.settings;
    const isSameConfig =
      before !== undefined && JSON.stringify(settings.config) === JSON.stringify(before.settings.config);
    const config = isSameConfig ? before.settings.config : settings.config;
    const update = await this.index.advance(isSameConfig ? before.state.tree : null, state.tree, config, (changes) =>
      this.#origins(state, before?.state, changes, memory),
    );
    this.#current = { state, settings: { ...settings, config }, cofferTree };
    this.#own = ownRecipients(settings.keyring, this.#cluster);
    if (hasNewSettings) memory.setGoodFiles(this.source.id, settings.good);
    return { update, hasNewKeyring: hasNewSettings };
  }

  async #origins(
    state: Accepted,
    before: Accepted | undefined,
    changes: Parameters<typeof originsOf>[3],
    memory: State,
  ): Promise<(path: string, blob: string) => Origin> {
    const { repository, id } = this.source;
    if (before !== undefined) return originsOf(repository, state.commit, before.commit, changes);
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
