import { CofferError } from '../../../core/errors.ts';
import { type Key, namesOf } from '../../project/namespaced-name.ts';
import { type Claim, isSamePlace, type Place } from '../state/claim.ts';
import type { Claims } from '../state/claims.ts';
import { judge, type Verdict } from '../state/owners.ts';
import type { SecretRecord, State } from '../state/state.ts';
import { isHeld } from './brake.ts';

export interface SettleOptions {
  claims: Claims;
  state: State;
  isUnreadable(place: Place): boolean;
  /** Whether what this place's source holds now is known: before that, nothing of it is gone. */
  isKnown(place: Place | undefined): boolean;
  /** What a person confirms who means these removals: the newest commit of the source. */
  holdId(source: string | undefined, keys: readonly Key[]): string;
  maxShare: number;
  /** The homes of which there is something that can stay: of the others there is nothing to hold. */
  present(): ReadonlySet<Key>;
}

export interface Settled {
  /** The secrets that have to be looked at: by the name of their manifest. */
  homes: Set<Key>;
  /** Of these, the ones that are to be removed. */
  prune: Set<Key>;
  /** Keys that several claim and none has. */
  contested: Set<Key>;
  /** Nobody claims them, but not all that could is known. */
  unknown: Set<Key>;
}

/** Decides what the accepted states mean for the (namespace, name)s that a change touched, and notes it in the state. */
export class Settlement {
  readonly #options: SettleOptions;
  /** Claims to keys that others have. */
  readonly #refused = new Map<Key, readonly Claim[]>();

  constructor(options: SettleOptions) {
    this.#options = options;
  }

  /** Whether what this place's source holds now is known: before that, nothing of it is gone. */
  isKnown(place: Place | undefined): boolean {
    return this.#options.isKnown(place);
  }

  /** The current claim of a secret's owner. */
  claimOf(home: Key): Claim | undefined {
    const { claims, state } = this.#options;
    const owner = state.get(home)?.owner;
    return owner && claims.to(home).find((claim) => claim.home === home && isSamePlace(claim, owner));
  }

  /** The claims that were refused, each as an error with its place. */
  *refusals(source: string): Generator<CofferError> {
    for (const [key, claims] of this.#refused) {
      for (const claim of claims) {
        if (claim.source === source) yield refusal(key, claim, this.#options.state.get(key)?.owner);
      }
    }
  }

  /** Why the manifest whose home this is has not even its home: somebody else reaches it, and had it before. */
  conflict(home: Key): CofferError | undefined {
    const record = this.#options.state.get(home);
    if (record !== undefined && record.home === home) return undefined;
    const claim = this.#refused.get(home)?.find((refused) => refused.home === home);
    return claim && refusal(home, claim, record?.owner);
  }

  /** @param confirmed commits whose removals a person has confirmed */
  settle(touched: Iterable<Key>, confirmed: ReadonlySet<string>): Settled {
    const settled: Settled = {
      homes: new Set(),
      prune: new Set(),
      contested: new Set(),
      unknown: new Set(),
    };
    const gone: Key[] = [];
    for (const key of touched) {
      const { claims, state, isUnreadable } = this.#options;
      const record = state.get(key);
      const verdict = judge(record?.owner, claims.to(key), isUnreadable);
      this.#noteRefused(key, verdict);
      if (verdict.kind === 'owned') this.#own(key, verdict.by, record, settled);
      if (verdict.kind === 'contested') settled.contested.add(key);
      if (verdict.kind === 'contested' || verdict.kind === 'unreadable') settled.homes.add(record?.home ?? key);
      if (verdict.kind === 'gone' && record !== undefined) {
        if (this.#options.isKnown(record.owner)) gone.push(key);
        else this.#leave(key, record, settled);
      }
    }
    this.#letGo(gone, confirmed, settled);
    return settled;
  }

  /** Lets the removals go that were held for a commit, and notes that: they are not held again. */
  release(commit: string): Settled['prune'] {
    const { claims, state } = this.#options;
    const released = [...(state.held().get(commit) ?? [])].filter((key) => claims.to(key).length === 0);
    for (const key of released) this.#letGoOf(key);
    return new Set(released);
  }

  #own(key: Key, by: Claim, record: SecretRecord | undefined, settled: Settled): void {
    settled.homes.add(by.home);
    if (record !== undefined && record.home !== by.home) settled.homes.add(record.home);
    const isSame =
      record?.owner !== undefined &&
      isSamePlace(record.owner, by) &&
      record.home === by.home &&
      record.retain === by.retain &&
      record.held === undefined &&
      record.isLetGo === undefined &&
      record.retained === undefined;
    if (isSame) return;
    const { source, path, index } = by;
    this.#options.state.set(key, {
      owner: { source, path, index },
      home: by.home,
      retain: by.retain,
      ...(record?.good === undefined || key !== by.home ? {} : { good: record.good }),
    });
  }

  #letGo(gone: readonly Key[], confirmed: ReadonlySet<string>, settled: Settled): void {
    const { state, maxShare, holdId, present } = this.#options;
    const there = gone.length > 0 ? present() : new Set<Key>();
    const bySource = new Map<string | undefined, Key[]>();
    for (const key of gone) {
      const record = state.get(key);
      if (record === undefined) continue;
      if (record.home !== key) {
        // While its manifest is there, only the reach became shorter; else it goes (or stays) with it.
        if (this.claimOf(record.home) === undefined) continue;
        state.drop(key);
        settled.homes.add(record.home);
      } else if (record.retain || record.retained === true) {
        if (record.retained !== true) state.set(key, { ...record, retained: true });
        settled.homes.add(key);
      } else if (record.isLetGo === true || !there.has(key)) {
        settled.homes.add(key);
        settled.prune.add(key);
      } else if (record.held === undefined) {
        const source = record.owner?.source;
        bySource.set(source, [...(bySource.get(source) ?? []), key]);
      } else {
        settled.homes.add(key);
      }
    }
    for (const [source, keys] of bySource) {
      const commit = holdId(source, keys);
      const isMass = isHeld(keys.length, this.#countOwned(source), maxShare);
      for (const key of keys) {
        settled.homes.add(key);
        const record = state.get(key);
        if (isMass && !confirmed.has(commit) && record !== undefined) {
          state.set(key, { ...record, held: commit });
          continue;
        }
        settled.prune.add(key);
        if (isMass) this.#letGoOf(key);
      }
    }
  }

  /** It may be gone, but that is not known; it is put back like any other. */
  #leave(key: Key, record: SecretRecord, settled: Settled): void {
    settled.unknown.add(key);
    settled.homes.add(record.home);
  }

  #letGoOf(key: Key): void {
    const record = this.#options.state.get(key);
    if (record === undefined) return;
    const { held: _held, ...rest } = record;
    this.#options.state.set(key, { ...rest, isLetGo: true });
  }

  #countOwned(source: string | undefined): number {
    let count = 0;
    for (const [key, { home, owner, retained, held }] of this.#options.state.secrets()) {
      if (key === home && owner?.source === source && retained !== true && held === undefined) count++;
    }
    return count;
  }

  #noteRefused(key: Key, verdict: Verdict): void {
    const refused = verdict.kind === 'gone' ? [] : verdict.refused;
    if (refused.length === 0) this.#refused.delete(key);
    else this.#refused.set(key, refused);
  }
}

/** Two manifests want one name. */
export function refusal(key: Key, claim: Claim, owner: Place | undefined): CofferError {
  return new CofferError(
    'MANIFEST_OWNED_ELSEWHERE',
    owner === undefined
      ? `${key} is claimed by several manifests, and by none before: none of them is projected`
      : `${key} belongs to ${owner.path}, so that this manifest is not projected as ${key}`,
    {
      advice: 'Keep one manifest of that namespace and name for this cluster, and remove or rename the others.',
      data: {
        file: claim.path,
        line: claim.line,
        source: claim.source,
        ...namesOf(key),
      },
    },
  );
}
