import type { KubeClient } from '../../kubernetes/client.ts';
import { type KubeObject, type ObjectMeta, RESOURCES } from '../../kubernetes/resource.ts';
import { LARGEST_SECRET, secretBody, sizeOf } from '../../kubernetes/secret-body.ts';
import { keyOf } from '../namespaced-name.ts';
import type { ContentDigest, Digests } from './digests.ts';
import { isOurs, takenOver } from './field-ownership.ts';
import { type Inventory, type OurSecret, ourSecret, stateOf } from './inventory.ts';
import * as marks from './marks.ts';
import { isAsPlanned, ownerIn, type SecretPlan } from './plan.ts';
import { markText } from './provenance-mark.ts';
import { ATTEMPTS, isInvalid, isRace } from './races.ts';
import { contended, immutable, notOurs, suspended, tooLarge, typeChanged } from './refusals.ts';
import type { SecretObject } from './secret-object.ts';
import { suspensionOf } from './suspension.ts';

/** Something that people should be told of a Secret. */
export type Tell = (secret: ObjectMeta, reason: 'Adopted' | 'Recreated' | 'SuspensionRefused', note: string) => void;

export interface SecretWriterParts {
  client: KubeClient;
  digests: Digests;
  inventory: Inventory;
  now: () => number;
  tell: Tell;
}

/**
 * Makes an apply create and nothing else: where the object is not there, the server looks at no version; where it is, it is at another
 * than etcd's first, and the apply is a conflict.
 */
const IF_ABSENT = { resourceVersion: '1' };

/** What is to be in one namespace. */
interface Order {
  namespace: string;
  name: string;
  plan: SecretPlan;
  values: ReadonlyMap<string, Uint8Array>;
  content: ContentDigest;
}

/** Writes one Secret at a time: every write has a precondition on what was looked at, or creates. */
export class SecretWriter {
  readonly #client: KubeClient;
  readonly #digests: Digests;
  readonly #inventory: Inventory;
  readonly #now: () => number;
  readonly #tell: Tell;

  constructor({ client, digests, inventory, now, tell }: SecretWriterParts) {
    this.#client = client;
    this.#digests = digests;
    this.#inventory = inventory;
    this.#now = now;
    this.#tell = tell;
  }

  /** Throws CofferError `SECRET_*`, KubernetesError. */
  async write(
    plan: SecretPlan,
    namespace: string,
    values: ReadonlyMap<string, Uint8Array>,
  ): Promise<{ outcome: 'unchanged' | 'written'; content: ContentDigest }> {
    const { name, type } = plan.secret;
    const content = this.#digests.ofValues({ namespace, name }, type, values);
    const order: Order = { namespace, name, plan, values, content };
    const size = sizeOf(values);
    if (size > LARGEST_SECRET) throw tooLarge(order, size);
    const key = keyOf(namespace, name);
    let known = this.#inventory.ours(key);
    let isToLook = known?.isPlain === false || this.#inventory.foreign(key) !== undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const live = isToLook ? await this.#client.get<SecretObject>(RESOURCES.secrets, order) : undefined;
        if (live !== undefined) return { outcome: await this.#change(order, live), content };
        if (isToLook) known = undefined;
        if (known !== undefined && isAsOrdered(known, order)) return { outcome: 'unchanged', content };
        await this.#apply(order, known);
        return { outcome: 'written', content };
      } catch (error) {
        if (!isRace(error) && (isToLook || !isInvalid(error))) throw error;
      }
      // Somebody was faster, or it is immutable or of another type: what counts is what is there.
      isToLook = true;
    }
    throw contended(order);
  }

  /** Makes what is there what was ordered. */
  async #change(order: Order, live: SecretObject): Promise<'unchanged' | 'written'> {
    const { metadata } = live;
    const wasOurs = isOurs(metadata);
    const isRetained = this.#wasRetained(metadata);
    if (!wasOurs && !isRetained && !marks.isAsked(metadata, marks.ADOPT)) throw notOurs(order);
    const suspension = suspensionOf(metadata, this.#now());
    if (suspension.kind === 'until' && this.#now() < suspension.time) throw suspended(order, suspension.time);
    const isIntact = this.#digests.ofSecret(live).whole === order.content.whole;
    const type = live.type ?? 'Opaque';
    if (type !== order.plan.secret.type || (live.immutable === true && !isIntact)) {
      const refusal =
        type === order.plan.secret.type ? immutable(order) : typeChanged(order, type, order.plan.secret.type);
      if (!marks.isAsked(metadata, marks.RECREATE)) throw refusal;
      return this.#recreate(order, metadata);
    }
    const now = ourSecret(metadata, isIntact, this.#now(), this.#digests);
    if (wasOurs && isAsOrdered(now, order)) {
      this.#note(metadata);
      return 'unchanged';
    }
    const current = now.isPlain ? metadata : await this.#takeOver(live, { owners: !wasOurs });
    await this.#apply(order, { uid: metadata.uid ?? '', resourceVersion: current.resourceVersion ?? '' });
    if (suspension.kind === 'wrong') this.#tell(metadata, 'SuspensionRefused', SUSPENSION_REFUSED);
    if (!wasOurs)
      this.#tell(metadata, 'Adopted', isRetained ? 'Its manifest came back.' : 'It was annotated for that.');
    return 'written';
  }

  #wasRetained({ namespace = '', name, uid = '', annotations }: ObjectMeta): boolean {
    return annotations?.[marks.RETAINED] === this.#digests.ofRetained(namespace, name, uid);
  }

  /** Whoever reads it sees the same before and after: only who manages what is another. */
  async #takeOver(live: SecretObject, { owners }: { owners: boolean }): Promise<ObjectMeta> {
    const { metadata } = live;
    const annotations = Object.keys(metadata.annotations ?? {}).filter((name) => isConsumed(name, !owners));
    const change = [
      { op: 'replace', path: '/metadata/managedFields', value: takenOver(live, { annotations, owners }) },
      // Not `test`: replaced by another value it is refused as a conflict by the store itself.
      { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    ];
    const answer = await this.#client.patch<KubeObject>(RESOURCES.secrets, nameOf(metadata), change, { type: 'json' });
    return answer.metadata;
  }

  async #recreate(order: Order, metadata: ObjectMeta): Promise<'written'> {
    const { uid = '', resourceVersion = '' } = metadata;
    await this.#client.delete(RESOURCES.secrets, order, { uid, resourceVersion });
    await this.#apply(order, undefined);
    this.#tell(metadata, 'Recreated', `It was annotated with ${marks.RECREATE}.`);
    return 'written';
  }

  /** With a precondition in every case. `known` undefined: nothing is there. */
  async #apply(order: Order, known: { uid: string; resourceVersion: string } | undefined): Promise<void> {
    const { namespace, name, plan, values, content } = order;
    const { secret, provenance, labels, fingerprint } = plan;
    const annotations = {
      ...plan.annotations,
      [marks.DIGEST]: content.whole,
      [marks.FINGERPRINT]: fingerprint,
      [marks.PROVENANCE]: markText(order, { homeNamespace: secret.namespace, provenance }, this.#digests),
    };
    const owner = ownerIn(namespace, plan);
    const identity = known ? { uid: known.uid, resourceVersion: known.resourceVersion } : IF_ABSENT;
    const metadata = { namespace, name, ...identity, labels, annotations, ...(owner && { ownerReferences: [owner] }) };
    const body = secretBody({ metadata, type: secret.type }, values);
    try {
      const answer = await this.#client.apply<KubeObject>(RESOURCES.secrets, order, body);
      this.#note(answer.metadata);
    } finally {
      body.fill(0);
    }
  }

  /** Written, or seen to be right. */
  #note(metadata: ObjectMeta): void {
    const secret = ourSecret(metadata, true, this.#now(), this.#digests);
    this.#inventory.setRight(secret, stateOf(secret, this.#now()));
  }
}

const SUSPENSION_REFUSED = `${marks.SUSPEND_UNTIL} was not a time in RFC 3339, or one more than 24 hours ahead; it is taken away.`;

function isAsOrdered(known: OurSecret, { plan, content }: Order): boolean {
  return known.digest === content.whole && isAsPlanned(known, plan);
}

/** What people asked for and got; with a Secret that was others', also what would let those write it again, and copies of its values. */
function isConsumed(annotation: string, isOurs: boolean): boolean {
  const asked: string[] = [marks.ADOPT, marks.RECREATE, marks.SUSPEND_UNTIL, marks.RETAINED, ...marks.OWN_ANNOTATIONS];
  if (asked.includes(annotation) || annotation === 'kubectl.kubernetes.io/last-applied-configuration') return true;
  return !isOurs && annotation.startsWith('sealedsecrets.bitnami.com/');
}

function nameOf({ namespace = '', name }: ObjectMeta): { namespace: string; name: string } {
  return { namespace, name };
}
