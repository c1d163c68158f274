import type { Person, Repository } from '../../core/git/repository.ts';

/** A state of a source that was fetched whole and checked: what is projected comes from here. */
export interface Accepted {
  /** `Source.id`. */
  source: string;
  commit: string;
  tree: string;
  author: Person;
  /** Of the commit, in seconds since 1970, UTC. */
  time: number;
}

/** Where manifests come from. */
export interface Source {
  /** Stable between runs; made of the address, the branch and the path. Safe as a file name. */
  readonly id: string;
  /** For people, without credentials. */
  readonly address: string;
  /** `operator`: its manifests are projected. `objects`: others apply them to the cluster, and this source vouches for those. */
  readonly carriedBy: 'operator' | 'objects';
  /** The folder that holds manifests, from the root; '' is the root. */
  readonly path: string;
  /** Holds every accepted state, also when the place that it came from is gone. */
  readonly repository: Repository;
  /** The state that was accepted last, also by an earlier run. */
  accepted(): Promise<Accepted | undefined>;
  /** Looks once. Throws CofferError (`SOURCE_…`) and keeps what was accepted when anything is wrong with what it finds. */
  poll(signal: AbortSignal): Promise<Accepted | 'unchanged'>;
  close(): Promise<void>;
}
