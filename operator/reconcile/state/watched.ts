import type { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import type { Provenance } from '../../project/projector.ts';
import type { Accepted } from '../../source/source.ts';
import type { HeldPath } from '../../trust/held-path.ts';
import type { Claim, Place, Version } from './claim.ts';
import type { State } from './state.ts';

/** What became of a source's claims. */
export interface Update {
  /** Claims that are no more, and claims that are new: a changed manifest is in both. */
  removed: readonly Claim[];
  added: readonly Claim[];
  /** Every path that was looked at. */
  paths: ReadonlySet<string>;
}

export interface Advance extends Update {
  /** The keyring is another: what could not be opened may now be. */
  hasNewKeyring: boolean;
}

export interface ReadManifest {
  manifest: Manifest;
  /** Its text, where nobody else keeps it. */
  text?: string;
}

/** A source of manifests as the reconciler sees it: what claims which name, and how a manifest is read. */
export interface Watched {
  readonly id: string;
  /** For people, without credentials. */
  readonly address: string;
  /** The accepted commit, where the source knows commits. */
  readonly commit: string | undefined;
  /** Whether `claims` show a state of it, be it an old one. */
  readonly isKnown: boolean;
  /**
   * Whether it is known what is at a path now, and what is not; absent: at all of them. Before the source was looked at in this
   * run nothing of it is gone.
   */
  isSeen(path?: string): boolean;
  /** `undefined` until it is known. */
  readonly keyring: Keyring | undefined;
  /** The recipients that this cluster is: itself, and its groups. */
  readonly own: ReadonlySet<string>;
  /** The state that was accepted last, where the source knows commits. */
  readonly accepted?: Accepted | undefined;
  /** Files whose newest version is not taken; of an accepted commit, or of one that is refused as a whole. */
  readonly held?: readonly HeldPath[];
  /** Of the last look, when it failed. */
  trouble: CofferError | undefined;
  /** Takes the claims to the newest state that is known; `undefined` where that is the one they show. */
  advance(memory: State): Promise<Advance | undefined>;
  /** Computes anew which namespaces the claims reach. */
  reach(): Update;
  claims(): Iterable<Claim>;
  /** Whether it is sealed to this cluster or to a group that the cluster is in. */
  isOurs(claim: Claim): boolean;
  /** Whether what is at this place exists although its claims are not (all) known: what it owned is then not gone. */
  isUnreadable(place: Place): boolean;
  problemsOf(path: string): readonly CofferError[];
  problems(): CofferError[];
  /** Also one of an earlier state. Throws what is wrong with it. */
  read(version: Version): Promise<ReadManifest>;
  /** The object in the cluster that carries it. */
  objectOf?(path: string): Provenance['object'];
}
