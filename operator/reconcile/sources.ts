import { createHash } from 'node:crypto';
import type { Key } from '../project/namespaced-name.ts';
import { ObjectsWatched } from './objects/objects-watched.ts';
import { Vouching } from './objects/vouching.ts';
import type { ReconcilerOptions } from './options.ts';
import type { Place } from './state/claim.ts';
import { Claims } from './state/claims.ts';
import { GitWatched } from './state/git-watched.ts';
import type { Watched } from './state/watched.ts';

/** All that manifests come from, and what they claim. */
export class Sources {
  readonly git: readonly GitWatched[];
  readonly objects: ObjectsWatched | undefined;
  readonly byId: ReadonlyMap<string, Watched>;
  /** Of manifests that are projected. */
  readonly claims = new Claims();
  readonly vouching: Vouching;

  constructor({ sources, objects, cluster, namespaces }: ReconcilerOptions) {
    const there = () => namespaces.names();
    this.git = sources.map((source) => new GitWatched(source, cluster, there));
    this.vouching = new Vouching(this.git, this.claims);
    const { git, vouching } = this;
    this.objects = objects && new ObjectsWatched({ ...objects, cluster, git, vouching, namespaces: there });
    this.byId = new Map(
      [...this.git, ...(this.objects === undefined ? [] : [this.objects])].map((one) => [one.id, one]),
    );
  }

  /** A git source was looked at in this run. */
  looked(id: string): GitWatched | undefined {
    const one = this.git.find((source) => source.id === id);
    if (one !== undefined) one.isLooked = true;
    return one;
  }

  isUnreadable(place: Place): boolean {
    return this.byId.get(place.source)?.isUnreadable(place) === true;
  }

  /**
   * Whether it is known what is at a place now. What no source of the configuration holds is gone only when all that could hold
   * it are known.
   */
  isKnown(place?: Place): boolean {
    const one = place && this.byId.get(place.source);
    if (one !== undefined) return one.isKnown && one.isSeen(place?.path);
    return [...this.byId.values()].every((any) => any.isKnown && any.isSeen());
  }

  /** What a person confirms who means these removals: the source's newest commit; of objects, which know none, 40 digits. */
  holdId(source: string | undefined, keys: readonly Key[]): string {
    const [any] = this.git;
    const commit = source === undefined ? any?.commit : (this.byId.get(source) ?? any)?.commit;
    return (
      commit ??
      createHash('sha1')
        .update([...keys].sort().join())
        .digest('hex')
    );
  }
}
