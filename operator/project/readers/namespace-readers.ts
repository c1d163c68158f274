import type { KubeClient } from '../../kubernetes/client.ts';
import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';
import { apiVersionOf, type KubeObject, RESOURCES } from '../../kubernetes/resource.ts';
import type { Rows } from './rows.ts';

/** One a namespace: the policies name it as their parameter. */
export const READERS_NAME = 'coffer';

/** Milliseconds that a watch may be late. */
const LONGEST_LAG = 60_000;

export interface SecretReaders extends KubeObject {
  spec: { secrets: Record<string, Rows> };
  status?: { offendersTotal?: number; offenders?: readonly ReportedOffender[] };
}

export interface ReportedOffender {
  pod: string;
  serviceAccount: string;
  secrets: readonly string[];
}

/** What the SecretReaders object of one namespace is to say, and says. Writes go one after another. */
export class NamespaceReaders {
  readonly #client: KubeClient;
  readonly #namespace: string;
  /** Secret → rows, joined by spaces. */
  #wanted: ReadonlyMap<string, string> = new Map();
  /** The same as the server has it; undefined: there is none. */
  #stored: ReadonlyMap<string, string> | undefined;
  #isKnown = false;
  /** As `#wanted`, while it is being written. */
  #writing: ReadonlyMap<string, string> | undefined;
  /** What the watch told last: which object is there and its version, or which one is gone. */
  #told: { uid?: string; version?: number; gone?: string } = {};
  /** Of our newest write, and when it was. */
  #version = 0;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #turn: Promise<unknown> = Promise.resolve();
  /** Changes that wait for their turn, and will be one write. */
  #waiting: { changes: Map<string, Rows | undefined>; done: Promise<void> } | undefined;
  #status: SecretReaders['status'];

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** Whether the server's object says just this. */
  says(secret: string, rows: Rows): boolean {
    return this.#stored?.get(secret) === join(rows);
  }

  /** What the object is to say; undefined of a Secret that it does not hold. */
  rows(secret: string): Rows | undefined {
    const rows = this.#wanted.get(secret);
    return rows === undefined ? undefined : split(rows);
  }

  secrets(): Iterable<string> {
    return this.#wanted.keys();
  }

  /** Of the newest object that was seen. */
  get status(): SecretReaders['status'] {
    return this.#status;
  }

  /**
   * To be called with what a watch tells. The first object is taken over as it is (an earlier run wrote it); whether a later one differs
   * from what it is to say, and so must be mended, is returned.
   */
  seen(object: SecretReaders): boolean {
    const { uid = '', resourceVersion } = object.metadata;
    const version = Number(resourceVersion);
    this.#told = { uid, version };
    // A watch lags behind our own writes. Versions of one kind can be ordered (KEP-5504), but not with those from before a restored backup.
    if (version < this.#version && performance.now() - this.#writtenAt < LONGEST_LAG) return false;
    return this.#take(object);
  }

  /** The same of the end of an object. */
  gone(uid: string): boolean {
    this.#told = { gone: uid };
    return this.#take(undefined);
  }

  #take(object: SecretReaders | undefined): boolean {
    this.#status = object?.status;
    this.#stored = object && new Map(Object.entries(object.spec.secrets).map(([secret, rows]) => [secret, join(rows)]));
    if (!this.#isKnown && this.#stored !== undefined) this.#wanted = this.#stored;
    this.#isKnown = true;
    if (!this.#isRight(this.#wanted)) return true;
    if (this.#writing !== undefined && !this.#isRight(this.#writing)) return true;
    // One map instead of two equal ones.
    if (this.#stored !== undefined) this.#stored = this.#wanted;
    return false;
  }

  /**
   * `undefined` takes a secret out. Throws KubernetesError; then the object is to say what it was to say before. What waits for its turn
   * is written together, and fails together: the API server takes the whole object for each write.
   */
  change(changes: ReadonlyMap<string, Rows | undefined>): Promise<void> {
    this.#waiting ??= this.#newWaiting();
    for (const [secret, rows] of changes) this.#waiting.changes.set(secret, rows);
    return this.#waiting.done;
  }

  #newWaiting() {
    const changes = new Map<string, Rows | undefined>();
    const done = this.#inTurn(() => {
      this.#waiting = undefined;
      return this.#change(changes);
    });
    return { changes, done };
  }

  async #change(changes: ReadonlyMap<string, Rows | undefined>): Promise<void> {
    const next = new Map(this.#wanted);
    for (const [secret, rows] of changes) {
      if (rows === undefined) next.delete(secret);
      else next.set(secret, join(rows));
    }
    this.#isKnown = true;
    if (this.#isRight(next)) this.#wanted = next;
    else await this.#write(next);
  }

  /** Puts back what others changed. Throws KubernetesError. */
  mend(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        if (!this.#isRight(this.#wanted)) await this.#write(this.#wanted);
      } catch (error) {
        if (!isNamespaceGone(error)) throw error;
        this.#wanted = new Map();
      }
    });
  }

  /** Throws KubernetesError. */
  report(status: NonNullable<SecretReaders['status']>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#stored === undefined) return;
      await this.#client.apply(RESOURCES.secretReaders, this.#name(), { ...this.#identity(), status } as KubeObject, {
        subresource: 'status',
        metadataOnly: true,
      });
    });
  }

  #isRight(wanted: ReadonlyMap<string, string>): boolean {
    const stored = this.#stored;
    if (stored === undefined) return wanted.size === 0;
    if (stored.size !== wanted.size || stored.size === 0) return false;
    for (const [secret, rows] of wanted) if (stored.get(secret) !== rows) return false;
    return true;
  }

  async #write(wanted: ReadonlyMap<string, string>): Promise<void> {
    this.#writing = wanted;
    try {
      if (wanted.size === 0) await this.#remove();
      else await this.#apply(wanted);
      this.#wanted = wanted;
    } finally {
      this.#writing = undefined;
    }
  }

  async #remove(): Promise<void> {
    const { uid } = this.#told;
    await this.#client.delete(RESOURCES.secretReaders, this.#name());
    // Else the watch has told of its end already, and perhaps of an object that others made since.
    if (this.#told.uid === uid) this.#stored = undefined;
  }

  async #apply(wanted: ReadonlyMap<string, string>): Promise<void> {
    const secrets = Object.fromEntries([...wanted].sort().map(([secret, rows]) => [secret, split(rows)]));
    const body: SecretReaders = { ...this.#identity(), spec: { secrets } };
    const { secretReaders } = RESOURCES;
    const { metadata } = await this.#client.apply(secretReaders, this.#name(), body, { metadataOnly: true });
    this.#version = Number(metadata.resourceVersion);
    this.#writtenAt = performance.now();
    // The watch may have told of the time after it already: that others changed what was written, or took it away, is then what counts.
    const { version = 0, gone } = this.#told;
    if (version <= this.#version && (gone === undefined || gone !== metadata.uid)) this.#stored = wanted;
  }

  #name() {
    return { namespace: this.#namespace, name: READERS_NAME };
  }

  #identity() {
    const { secretReaders } = RESOURCES;
    return { apiVersion: apiVersionOf(secretReaders), kind: secretReaders.kind, metadata: this.#name() };
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work, work);
    this.#turn = done;
    return done;
  }
}

export function isNamespaceGone(error: unknown): boolean {
  return (
    error instanceof KubernetesError &&
    (error.code === 'KUBERNETES_NAMESPACE_MISSING' || error.code === 'KUBERNETES_TERMINATING')
  );
}

function join(rows: Rows): string {
  return rows.join(' ');
}

function split(rows: string): Rows {
  return rows === '' ? [] : rows.split(' ');
}
