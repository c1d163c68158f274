import type { ObjectMeta, OwnerReference } from '../../kubernetes/resource.ts';
import { type Key, keyOf } from '../namespaced-name.ts';
import type { Provenance, SecretName } from '../projector.ts';
import type { Digests } from './digests.ts';
import { isForeignOwner, isSolelyOurs, ownNames } from './field-ownership.ts';
import { ADOPT, DIGEST, FINGERPRINT, OWN_ANNOTATIONS, RECREATE, SUSPEND_UNTIL } from './marks.ts';
import { readMark } from './provenance-mark.ts';
import { suspensionOf } from './suspension.ts';

/** What is kept of a Secret of ours: nothing of its values, and little, for there may be ten thousand. */
export interface OurSecret {
  namespace: string;
  name: string;
  homeNamespace: string;
  /** Absent: it bears no mark of the operator's. */
  provenance: Provenance | undefined;
  uid: string;
  resourceVersion: string;
  /** When this version was seen or written; milliseconds since the epoch. */
  knownAt: number;
  /** Its entries are those that its digest is of. */
  isIntact: boolean;
  digest: string | undefined;
  fingerprint: string | undefined;
  /** The labels and annotations that are the operator's, as `metadataText` writes them. */
  metadata: string;
  /** Of the EncryptedSecret object that owns it. */
  owner: string | undefined;
  /** An apply of ours suffices to make it what it should be: others manage no entries, and people ask for nothing. */
  isPlain: boolean;
  /** What a person asks for. */
  asks: string | undefined;
  suspendedUntil: number | undefined;
  /** Whether it bears our label, by which one of the two watches sees it. */
  isLabelled: boolean;
  /** How it was when it was known to be right. */
  noted: string | undefined;
  /** How it was when it was last asked to be opened and applied again: not again for the same. */
  asked: string | undefined;
}

/**
 * What tells whether somebody changed something of ours. That a suspension begins or ends is such a change; what is done meanwhile
 * is not.
 */
export function stateOf(secret: OurSecret, now: number): string {
  const { uid, isIntact, digest, fingerprint, provenance, metadata, owner, asks } = secret;
  if (isSuspended(secret, now)) return JSON.stringify([uid, 'suspended', asks]);
  return JSON.stringify([uid, isIntact, digest, fingerprint, provenance !== undefined, metadata, owner, asks]);
}

export function isSuspended({ suspendedUntil }: OurSecret, now: number): boolean {
  return suspendedUntil !== undefined && now < suspendedUntil;
}

/** Of the EncryptedSecret object that owns it. */
function ownerOf(references: readonly OwnerReference[] = []): string | undefined {
  return references.find((reference) => !isForeignOwner(reference))?.uid;
}

/** A Secret of ours as its metadata tells. `isIntact`: whether its entries were found to be those that its digest is of. */
export function ourSecret(metadata: ObjectMeta, isIntact: boolean, now: number, digests: Digests): OurSecret {
  const { namespace = '', name, labels = {}, annotations = {} } = metadata;
  const mark = readMark(metadata, digests);
  const asks = [ADOPT, RECREATE, SUSPEND_UNTIL].flatMap((what) => annotations[what] ?? []).join(' ') || undefined;
  const suspension = suspensionOf(metadata, now);
  return {
    namespace,
    name,
    homeNamespace: mark?.homeNamespace ?? namespace,
    provenance: mark?.provenance,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    knownAt: now,
    isIntact,
    digest: annotations[DIGEST],
    fingerprint: annotations[FINGERPRINT],
    metadata: metadataText(
      picked(labels, ownNames(metadata, 'labels')),
      picked(annotations, ownNames(metadata, 'annotations')),
    ),
    owner: ownerOf(metadata.ownerReferences),
    isPlain: asks === undefined && isSolelyOurs(metadata),
    asks,
    suspendedUntil: suspension.kind === 'until' ? suspension.time : undefined,
    isLabelled: true,
    noted: undefined,
    asked: undefined,
  };
}

function picked(all: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}

/**
 * To be compared: the same for the same labels and annotations in whatever order. Our own marks are left out: digests are compared one
 * by one, and the commit in the provenance may be an older one.
 */
export function metadataText(labels: Record<string, string>, annotations: Record<string, string>): string {
  const steady = Object.entries(annotations).filter(([name]) => !OWN_ANNOTATIONS.includes(name));
  return JSON.stringify([Object.entries(labels).sort(byName), steady.sort(byName)]);
}

function byName([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : 1;
}

/** Somebody else's, or nobody's. */
export interface ForeignSecret {
  uid: string;
  resourceVersion: string;
  /** A person, or what we left there ourselves, says that we may take it over. */
  isOffered: boolean;
}

/** What Secrets there are, ours and others', as last seen or written. */
export class Inventory {
  readonly #ours = new Map<Key, OurSecret>();
  readonly #foreign = new Map<Key, ForeignSecret>();
  /** Where one of ours was wanted and could not be → its home. */
  readonly #refused = new Map<Key, Key>();
  /** Home → keys of its Secrets, the missing ones too. */
  readonly #homes = new Map<Key, Set<Key>>();
  /** Left by us, until the watch has told of that → uid. */
  readonly #left = new Map<Key, string>();
  /** Were there, and nobody of us took them away. */
  readonly #missing = new Map<Key, { home: Key; uid: string; isAsked: boolean }>();

  ours(key: Key): OurSecret | undefined {
    return this.#ours.get(key);
  }

  foreign(key: Key): ForeignSecret | undefined {
    return this.#foreign.get(key);
  }

  setOurs(secret: OurSecret): void {
    const key = keyOf(secret.namespace, secret.name);
    const before = this.#ours.get(key);
    if (before !== undefined && homeOf(before) !== homeOf(secret)) this.#leaveHome(homeOf(before), key);
    this.#ours.set(key, secret);
    this.#foreign.delete(key);
    this.#refused.delete(key);
    this.#missing.delete(key);
    this.#left.delete(key);
    const home = homeOf(secret);
    const keys = this.#homes.get(home) ?? new Set();
    this.#homes.set(home, keys.add(key));
  }

  /**
   * What the answer to a write of ours tells, or a look. The watch may have told of the time after it already: that others changed
   * what was written, took it away, made it theirs
   * or put another in its place is then what counts.
   */
  setRight(secret: OurSecret, noted: string): void {
    const key = keyOf(secret.namespace, secret.name);
    const seen = this.#ours.get(key);
    if (this.#missing.get(key)?.uid === secret.uid) return;
    if (isEarlier(secret.resourceVersion, this.#foreign.get(key)?.resourceVersion)) return;
    if (seen !== undefined && isEarlier(secret.resourceVersion, seen.resourceVersion)) {
      seen.noted = noted;
      seen.asked = undefined;
    } else this.setOurs({ ...secret, noted });
  }

  setForeign(key: Key, foreign: ForeignSecret): void {
    this.#foreign.set(key, foreign);
  }

  forgetForeign(key: Key, uid: string): boolean {
    return this.#foreign.get(key)?.uid === uid && this.#foreign.delete(key);
  }

  refuse(key: Key, home: Key): void {
    this.#refused.set(key, home);
  }

  refusedHome(key: Key): Key | undefined {
    return this.#refused.get(key);
  }

  /** Gone by somebody else's doing: it is remembered whose it was. */
  miss(key: Key): void {
    const secret = this.#ours.get(key);
    if (secret === undefined) return;
    this.#ours.delete(key);
    this.#missing.set(key, { home: homeOf(secret), uid: secret.uid, isAsked: false });
  }

  /** As `forget`; what the watch tells of it from the time before is no news. */
  leave(key: Key, uid: string): void {
    this.forget(key);
    this.#left.set(key, uid);
  }

  isLeft(key: Key, uid: string | undefined): boolean {
    return uid !== undefined && this.#left.get(key) === uid;
  }

  /** The watch has told that a Secret is no more what it was, and that need not be told again. */
  hasLeft(key: Key, uid: string): void {
    if (this.isLeft(key, uid)) this.#left.delete(key);
  }

  /** Gone, or nobody's any more, by our doing. */
  forget(key: Key): void {
    const secret = this.#ours.get(key);
    const home = secret === undefined ? this.missingHome(key) : homeOf(secret);
    if (home !== undefined) this.#leaveHome(home, key);
    this.#ours.delete(key);
    this.#missing.delete(key);
  }

  /** The missing that nobody has asked for since they went. */
  *unasked(): Iterable<Key> {
    for (const [key, { isAsked }] of this.#missing) if (!isAsked) yield key;
  }

  ask(key: Key): void {
    const missing = this.#missing.get(key);
    if (missing !== undefined) missing.isAsked = true;
  }

  missingHome(key: Key): Key | undefined {
    return this.#missing.get(key)?.home;
  }

  /** The manifest is gone: nothing of it is wanted any more. */
  forgetWishes(home: Key): void {
    for (const [key, missing] of this.#missing) if (missing.home === home) this.#missing.delete(key);
    for (const [key, of] of this.#refused) if (of === home) this.#refused.delete(key);
  }

  all(): Iterable<[Key, OurSecret]> {
    return this.#ours;
  }

  /** The Secrets of one manifest that are there. */
  of(home: Key): OurSecret[] {
    return [...(this.#homes.get(home) ?? [])].flatMap((key) => this.#ours.get(key) ?? []);
  }

  /** The manifests that have Secrets here. */
  *homes(): Iterable<SecretName> {
    const told = new Set<Key>();
    for (const secret of this.#ours.values()) {
      const { homeNamespace: namespace, name, provenance } = secret;
      if (told.has(homeOf(secret))) continue;
      told.add(homeOf(secret));
      yield { namespace, name, ...(provenance === undefined ? {} : { provenance }) };
    }
  }

  #leaveHome(home: Key, key: Key): void {
    const keys = this.#homes.get(home);
    keys?.delete(key);
    if (keys?.size === 0) this.#homes.delete(home);
  }
}

export function homeOf({ homeNamespace, name }: Pick<OurSecret, 'homeNamespace' | 'name'>): Key {
  return keyOf(homeNamespace, name);
}

/** Resource versions of one kind are numbers that grow (KEP-5504); of others nothing is said. */
export function isEarlier(one = '', other = ''): boolean {
  if (!/^\d+$/.test(one) || !/^\d+$/.test(other)) return false;
  return BigInt(one) < BigInt(other);
}
