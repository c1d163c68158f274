import { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import type { Key } from '../../project/namespaced-name.ts';
import { isSamePlace, type Place, type Version } from '../state/claim.ts';
import type { Good, State } from '../state/state.ts';
import type { Watched } from '../state/watched.ts';
import type { Settlement } from './settlement.ts';

/** A manifest that is to be projected. */
export interface Chosen {
  home: Key;
  version: Version;
  manifest: Manifest;
  /** Of the manifest, where the state has to keep it. */
  text?: string;
  source: Watched;
  /** Why this is not the newest manifest but the last good one. */
  instead?: CofferError;
}

export interface SelectionParts {
  state: State;
  settlement: Settlement;
  watched: ReadonlyMap<string, Watched>;
}

/** Which manifest of a secret counts: the newest; where something is wrong with that, the one that was good last. */
export class Selection {
  readonly #parts: SelectionParts;

  constructor(parts: SelectionParts) {
    this.#parts = parts;
  }

  /** The newest one's place; `undefined` where nobody owns the name, or where the owner cannot be read (`problem`). */
  newest(home: Key): Version | undefined {
    const claim = this.#parts.settlement.claimOf(home);
    return claim && { ...claim, ...claim.origin };
  }

  /** What is wrong with the file of a secret's owner. */
  problem(home: Key): CofferError | undefined {
    const owner = this.#parts.state.get(home)?.owner;
    return owner && this.#parts.watched.get(owner.source)?.problemsOf(owner.path)[0];
  }

  /** The last good one's place, unless that is what failed. */
  lastGood(home: Key, failed: Version | undefined): Good | undefined {
    const good = this.#parts.state.get(home)?.good;
    return good === undefined || (failed?.blob === good.blob && isSamePlace(failed, good)) ? undefined : good;
  }

  /** Throws what is wrong with the manifest, and `SOURCE_REMOVED`. */
  async read(home: Key, version: Version): Promise<Chosen> {
    const source = this.#parts.watched.get(version.source);
    if (source === undefined) throw sourceGone(version);
    return { home, version, source, ...(await source.read(version)) };
  }
}

function sourceGone({ source, path }: Place): CofferError {
  return new CofferError('SOURCE_REMOVED', 'the manifest came from a source that is not configured any more', {
    advice: 'Configure the source again, or move the manifest to one that is.',
    data: { source, file: path },
  });
}
