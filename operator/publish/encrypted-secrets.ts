import { Bug, type CofferError } from '../../core/errors.ts';
import type { EncryptedSecretStatus } from '../../schemas/crd/encrypted-secret.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { apiVersionOf, type ObjectMeta, RESOURCES } from '../kubernetes/resource.ts';
import { type NamespacedWatch, watchNamespaces } from '../kubernetes/watch-namespaces.ts';
import { type Key, keyOf } from '../project/namespaced-name.ts';
import { type EncryptedSecretObject, isLabelled, isMirror } from './mirror.ts';
import { fingerprintOf } from './own-spec.ts';
import { type StoredStatus, storedStatus } from './stored-status.ts';

/** What is kept in memory of an EncryptedSecret object: there may be ten thousand. */
export interface StoredObject {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  /** This operator applied it from git; everything else is somebody else's to carry. */
  isMirror: boolean;
  /** A mirror still has its label. */
  isLabelled: boolean;
  /** Of its spec. */
  fingerprint: string;
  status: StoredStatus;
  /** The manifest that somebody else carries. */
  text?: Buffer;
}

export type ObjectListener = (key: Key, object: StoredObject | undefined) => void;

/** The one watch over EncryptedSecret objects, which mirrors, status and the source of objects share. */
export class EncryptedSecrets {
  /** All were seen once, or their kind is not served, or may not be read. */
  readonly synced: Promise<void>;
  readonly #watch: NamespacedWatch;
  readonly #objects = new Map<Key, StoredObject>();
  /** Resource versions of answers that the watch has not reached. */
  readonly #ahead = new Map<Key, string>();
  /** Requests that are not answered yet. */
  readonly #questions = new Set<{ key: Key; gone: Set<string> }>();
  readonly #listeners: ObjectListener[] = [];
  readonly #listListeners: (() => void)[] = [];

  /** @param namespaces names and globs */
  constructor(client: KubeClient, namespaces: readonly string[]) {
    this.#watch = watchNamespaces<EncryptedSecretObject>(
      client,
      namespaces,
      { resource: RESOURCES.encryptedSecrets },
      {
        changed: (object) => this.#seen(object),
        deleted: ({ namespace, name, uid }) => this.#lose(keyOf(namespace, name), uid),
        synced: () => {
          for (const listener of this.#listListeners) listener();
        },
      },
    );
    this.synced = this.#watch.synced;
  }

  /** Why objects cannot be seen now: `KUBERNETES_NO_KIND` where the CustomResourceDefinition is missing. */
  trouble(namespace?: string): CofferError | undefined {
    return this.#watch.trouble(namespace);
  }

  /** Until the signal. */
  run(signal: AbortSignal): Promise<void> {
    return this.#watch.run(signal);
  }

  get(key: Key): StoredObject | undefined {
    return this.#objects.get(key);
  }

  *mirrors(): Iterable<StoredObject> {
    for (const object of this.#objects.values()) if (object.isMirror) yield object;
  }

  /** Those that somebody else applies. */
  *foreign(): Iterable<StoredObject> {
    for (const object of this.#objects.values()) if (!object.isMirror) yield object;
  }

  /** Of an object that somebody else applies: a manifest in JSON, one document, of its metadata only the name and namespace. */
  manifestText(key: Key): Buffer {
    const text = this.#objects.get(key)?.text;
    if (text === undefined) throw new Bug('only what others carry is read from the cluster');
    return text;
  }

  /** Called for each change of an object's spec or of who carries it, for new and for deleted ones (`undefined`). */
  onChange(listener: ObjectListener): void {
    this.#listeners.push(listener);
  }

  /** Called when all objects of a namespace, or of the cluster, have been listed: at first and again from time to time. */
  onListed(listener: () => void): void {
    this.#listListeners.push(listener);
  }

  /**
   * Makes a request about one object and takes the object as the answer shows it (`undefined`: it is not there): the watch, which comes
   * later, must not bring back what was before. Nor does the answer where the watch was faster. Returns the answer.
   */
  async ask<Answer extends EncryptedSecretObject | undefined>(
    key: Key,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    const question = { key, gone: new Set<string>() };
    const known = this.#objects.get(key)?.uid;
    this.#questions.add(question);
    try {
      const answer = await request();
      if (answer !== undefined) this.#take(key, answer, question.gone);
      else if (known !== undefined) this.#drop(key, known);
      return answer;
    } finally {
      this.#questions.delete(question);
    }
  }

  /** The status that was written, and the metadata of the answer; nothing where the object became another meanwhile. */
  takeStatus(key: Key, { uid, generation, resourceVersion = '' }: ObjectMeta, status: EncryptedSecretStatus): void {
    const object = this.#objects.get(key);
    if (object === undefined || object.uid !== uid || object.generation !== generation) return;
    // The watch was faster, and shows what the server made of it.
    if (!isOlder(object.resourceVersion, resourceVersion)) return;
    this.#ahead.set(key, resourceVersion);
    this.#objects.set(key, { ...object, resourceVersion, status: storedStatus(status) });
  }

  /** @param gone uids of what the watch has told the end of since the request */
  #take(key: Key, object: EncryptedSecretObject, gone: ReadonlySet<string>): void {
    const { uid = '', resourceVersion = '' } = object.metadata;
    const known = this.#objects.get(key);
    if (gone.has(uid) || (known !== undefined && isOlder(resourceVersion, known.resourceVersion))) return;
    this.#ahead.set(key, resourceVersion);
    this.#keep(object);
  }

  #seen(object: EncryptedSecretObject): void {
    const { namespace = '', name, resourceVersion = '' } = object.metadata;
    const key = keyOf(namespace, name);
    const ahead = this.#ahead.get(key);
    if (ahead !== undefined && isOlder(resourceVersion, ahead)) return;
    this.#ahead.delete(key);
    this.#keep(object);
  }

  #keep(object: EncryptedSecretObject): void {
    const { namespace = '', name } = object.metadata;
    const key = keyOf(namespace, name);
    const before = this.#objects.get(key);
    const now = storedOf(object, before);
    this.#objects.set(key, now);
    if (before === undefined || isOther(before, now)) this.#tell(key, now);
  }

  #lose(key: Key, uid: string): void {
    for (const question of this.#questions) if (question.key === key) question.gone.add(uid);
    this.#drop(key, uid);
  }

  #drop(key: Key, uid: string): void {
    if (this.#objects.get(key)?.uid !== uid) return;
    this.#objects.delete(key);
    this.#ahead.delete(key);
    this.#tell(key, undefined);
  }

  #tell(key: Key, object: StoredObject | undefined): void {
    for (const listener of this.#listeners) listener(key, object);
  }
}

function storedOf(object: EncryptedSecretObject, before: StoredObject | undefined): StoredObject {
  const { metadata, spec = {}, status } = object;
  const { namespace = '', name, uid = '', resourceVersion = '', generation = 0 } = metadata;
  // A change of status or metadata alone leaves the generation.
  const isSameSpec = before?.uid === uid && before.generation === generation;
  const isOurs = isMirror(object);
  return {
    ...{ namespace, name, uid, resourceVersion, generation, isMirror: isOurs },
    isLabelled: isLabelled(metadata),
    fingerprint: isSameSpec ? before.fingerprint : fingerprintOf(spec),
    status: storedStatus(status),
    ...(isOurs ? {} : { text: (isSameSpec ? before.text : undefined) ?? manifestText(object) }),
  };
}

function manifestText({ metadata: { name, namespace }, spec = {} }: EncryptedSecretObject): Buffer {
  const { kind } = RESOURCES.encryptedSecrets;
  const apiVersion = apiVersionOf(RESOURCES.encryptedSecrets);
  return Buffer.from(JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, spec }));
}

function isOther(before: StoredObject, now: StoredObject): boolean {
  return (
    before.uid !== now.uid ||
    before.generation !== now.generation ||
    before.fingerprint !== now.fingerprint ||
    before.isMirror !== now.isMirror ||
    before.isLabelled !== now.isLabelled
  );
}

/** Since 1.35 resource versions may be compared, as numbers of any length (KEP-5504); those of older servers can be as well. */
function isOlder(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
