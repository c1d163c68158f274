import type { Resource } from '../../kubernetes/resource.ts';
import { type HeldDigests, shortDigest } from './held-digests.ts';
import { baseline, changed, parseReadState, type Read, type ReadState, readStateText } from './read-state.ts';
import { DIGEST, READ_STATE, readsOf, type WorkloadObject } from './workload.ts';

/** A merge patch (RFC 7396), and the state that it makes true. */
export interface Change {
  body: object;
  state: ReadState;
}

/** Milliseconds that a watch may be late. */
const LONGEST_LAG = 60_000;

/** A workload that asks to be rolled, and what its pods read as far as is known. */
export class TrackedWorkload {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly #keyId: string;
  #reads: readonly Read[] = [];
  #state: ReadState;
  /** As it stood in the annotation when it was seen first, or was written last. */
  #recorded: string | undefined;
  /** Of our newest write, and when it was. */
  #version = 0;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(resource: Resource, { metadata }: WorkloadObject, keyId: string) {
    this.resource = resource;
    this.namespace = metadata.namespace ?? '';
    this.name = metadata.name;
    this.uid = metadata.uid ?? '';
    this.#keyId = keyId;
    this.#recorded = metadata.annotations?.[READ_STATE];
    this.#state = parseReadState(this.#recorded, keyId);
  }

  /**
   * Its template may be another one. Of the annotations nothing is taken: what is remembered is at least as new, also where a
   * GitOps tool set them back.
   */
  see(object: WorkloadObject): void {
    // A watch lags behind our own writes. Versions of one kind can be ordered (KEP-5504), but not with those from before a restored backup.
    const isOld = Number(object.metadata.resourceVersion) < this.#version;
    if (isOld && performance.now() - this.#writtenAt < LONGEST_LAG) return;
    this.#reads = readsOf(object);
  }

  /** Takes what is read for the first time as read. */
  look(held: HeldDigests): void {
    this.#state = baseline(this.#state, this.#reads, this.#digests(held));
  }

  /** What is to be written so that a later run of the operator knows the state; undefined: it does. */
  record(): Change | undefined {
    const text = readStateText(this.#state, this.#keyId);
    const isKnown = text === this.#recorded || (this.#state.size === 0 && this.#recorded === undefined);
    return isKnown ? undefined : { body: { metadata: this.#metadata(text) }, state: this.#state };
  }

  /** What rolls it; undefined: nothing that it reads has changed. */
  roll(held: HeldDigests): Change | undefined {
    const state = changed(this.#state, this.#digests(held));
    if (state === undefined) return undefined;
    const text = readStateText(state, this.#keyId);
    const template = { metadata: { annotations: { [DIGEST]: shortDigest(text) } } };
    return { body: { metadata: this.#metadata(text), spec: { template } }, state };
  }

  /** The change was made. What was seen meanwhile stays. */
  wrote({ state }: Change, resourceVersion: string | undefined): void {
    this.#recorded = readStateText(state, this.#keyId);
    this.#state = new Map(Array.from(this.#state, ([read, digest]) => [read, state.get(read) ?? digest]));
    this.#version = Number(resourceVersion);
    this.#writtenAt = performance.now();
  }

  /** The uid is a precondition: a workload that was made anew under the name is another one. */
  #metadata(text: string) {
    return { uid: this.uid, annotations: { [READ_STATE]: text } };
  }

  #digests(held: HeldDigests): (read: string) => string | undefined {
    return (read) => held.of(this.namespace, read);
  }
}
