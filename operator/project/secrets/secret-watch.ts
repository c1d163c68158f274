import type { KubeClient } from '../../kubernetes/client.ts';
import type { KubeObject, ObjectMeta } from '../../kubernetes/resource.ts';
import { RESOURCES } from '../../kubernetes/resource.ts';
import { type NamespacedWatch, watchNamespaces } from '../../kubernetes/watch-namespaces.ts';
import { type Key, keyOf } from '../namespaced-name.ts';
import type { Digests } from './digests.ts';
import { isOurs } from './field-ownership.ts';
import { homeOf, type Inventory, isEarlier, isSuspended, type OurSecret, ourSecret, stateOf } from './inventory.ts';
import { ADOPT, isAsked, PROJECTED_LABEL, RETAINED } from './marks.ts';
import type { SecretObject } from './secret-object.ts';

/**
 * Milliseconds that a watch may be late: a connection that died without a word is given up after 90 s (list-watch.ts), and what
 * happened meanwhile is told then.
 */
export const LONGEST_LAG = 300_000;

export interface SecretWatchParts {
  client: KubeClient;
  /** Names and globs. */
  namespaces: readonly string[];
  /** Milliseconds between lists that catch what watches lost. */
  resync: number;
  digests: Digests;
  inventory: Inventory;
  now: () => number;
  /** Something is there, gone or changed that may have to be put right. */
  touched(key: Key): void;
  /** What a Secret holds: ours, as its digest says or as a person who suspended us left it. */
  holds(namespace: string, name: string, entries: ReadonlyMap<string, string>): void;
}

/**
 * Keeps the inventory as the cluster is, by two watches: one of what bears our label, whose values are read once for their digest
 * and let go, and one of everything else, which brings no values at all.
 */
export class SecretWatch {
  readonly synced: Promise<unknown>;
  readonly #labelled: NamespacedWatch;
  readonly #others: NamespacedWatch;
  readonly #parts: SecretWatchParts;

  constructor(parts: SecretWatchParts) {
    this.#parts = parts;
    const { client, namespaces, resync } = parts;
    const options = { resource: RESOURCES.secrets, relistEvery: resync };
    this.#labelled = watchNamespaces<SecretObject>(
      client,
      namespaces,
      { ...options, labelSelector: `${PROJECTED_LABEL}=true` },
      {
        changed: (secret) => this.#seeLabelled(secret),
        deleted: ({ namespace, name, uid }) => this.#lose(keyOf(namespace, name), uid, true),
      },
    );
    this.#others = watchNamespaces<KubeObject>(
      client,
      namespaces,
      { ...options, labelSelector: `${PROJECTED_LABEL}!=true`, metadataOnly: true },
      {
        changed: ({ metadata }) => this.#seeOther(metadata),
        deleted: ({ namespace, name, uid }) => this.#lose(keyOf(namespace, name), uid, false),
      },
    );
    this.synced = Promise.all([this.#labelled.synced, this.#others.synced]);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#labelled.run(signal), this.#others.run(signal)]);
  }

  /** Why it is not known what is in a namespace. */
  trouble(namespace: string) {
    return this.#labelled.trouble(namespace) ?? this.#others.trouble(namespace);
  }

  #seeLabelled(secret: SecretObject): void {
    const { metadata } = secret;
    // A copy bears the label, but nobody let us manage it.
    if (!isOurs(metadata)) this.#seeForeign(metadata);
    else if (!this.#isOld(metadata)) this.#see(metadata, secret);
  }

  #seeOther(metadata: ObjectMeta): void {
    if (!isOurs(metadata)) this.#seeForeign(metadata);
    else if (!this.#isOld(metadata)) this.#see(metadata, undefined);
  }

  /**
   * An answer to a write of ours may have come before what the watch tells of the time before, also of a Secret that was there before
   * this one. After a while it is no lag: a backup of etcd was restored, and versions begin again at an earlier one.
   */
  #isOld({ namespace = '', name, resourceVersion }: ObjectMeta): boolean {
    const { inventory, now } = this.#parts;
    const known = inventory.ours(keyOf(namespace, name));
    if (known === undefined || !isEarlier(resourceVersion, known.resourceVersion)) return false;
    // Below zero the clock was set back, and says nothing.
    const age = now() - known.knownAt;
    return age >= 0 && age < LONGEST_LAG;
  }

  /** `secret` undefined: it lost our label, and its values are not seen. */
  #see(metadata: ObjectMeta, secret: SecretObject | undefined): void {
    const { inventory, digests, now, holds, touched } = this.#parts;
    const key = keyOf(metadata.namespace ?? '', metadata.name);
    if (inventory.isLeft(key, metadata.uid)) return;
    const before = inventory.ours(key);
    // The echo of a write of ours; had admission made other entries of it, it would not be plain.
    if (before?.isPlain && before.isIntact && before.resourceVersion === metadata.resourceVersion) return;
    const content = secret && digests.ofSecret(secret);
    const seen = ourSecret(metadata, false, now(), digests);
    seen.isLabelled = secret !== undefined;
    seen.isIntact = content !== undefined && content.whole === seen.digest;
    seen.noted = before?.noted;
    seen.asked = before?.asked;
    inventory.setOurs(seen);
    const isNews = before === undefined || before.digest !== seen.digest || isChanged(before, seen, now());
    const isMeant = (isNews && seen.isIntact) || isSuspended(seen, now());
    if (content !== undefined && isMeant) holds(seen.namespace, seen.name, content.entries);
    if (isNews && before !== undefined) touched(key);
  }

  #seeForeign(metadata: ObjectMeta): void {
    const { namespace = '', name, uid = '', resourceVersion = '' } = metadata;
    const key = keyOf(namespace, name);
    const { inventory, touched } = this.#parts;
    if (this.#isOld(metadata)) return;
    const lost = inventory.ours(key);
    if (lost?.uid === uid) {
      // Somebody has cleared its managed fields: nothing proves any more that we made it.
      inventory.forget(key);
      inventory.refuse(key, homeOf(lost));
    }
    const isOffered = isAsked(metadata, ADOPT) || this.#wasOurs(metadata);
    inventory.setForeign(key, { uid, resourceVersion, isOffered });
    const isNews = lost?.uid === uid || isOffered;
    if (isNews && inventory.refusedHome(key) !== undefined) touched(key);
  }

  #wasOurs({ namespace = '', name, uid = '', annotations }: ObjectMeta): boolean {
    const mark = annotations?.[RETAINED];
    return mark !== undefined && mark === this.#parts.digests.ofRetained(namespace, name, uid);
  }

  #lose(key: Key, uid: string, isLabelled: boolean): void {
    const { inventory, touched } = this.#parts;
    if (isLabelled) inventory.hasLeft(key, uid);
    if (inventory.forgetForeign(key, uid) && inventory.refusedHome(key) !== undefined) touched(key);
    const known = inventory.ours(key);
    // Who takes our label away, or puts it back, moves it from one watch to the other.
    if (known?.uid !== uid || known.isLabelled !== isLabelled) return;
    inventory.miss(key);
    touched(key);
  }
}

function isChanged(before: OurSecret, seen: OurSecret, now: number): boolean {
  return stateOf(before, now) !== stateOf(seen, now);
}
