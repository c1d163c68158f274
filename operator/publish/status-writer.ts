import { CofferError } from '../../core/errors.ts';
import { BackOff } from '../concurrency/back-off.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { pause } from '../concurrency/pause.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { EventRecorder } from '../kubernetes/events.ts';
import { apiVersionOf, type KubeObject, RESOURCES } from '../kubernetes/resource.ts';
import { type Key, keyOf } from '../project/namespaced-name.ts';
import type { SecretStatus } from '../status/status.ts';
import { definitionTrouble } from './definition-trouble.ts';
import type { EncryptedSecrets } from './encrypted-secrets.ts';
import { statusOf } from './status.ts';
import { eventsOf } from './status-events.ts';
import { statusFingerprint } from './stored-status.ts';

/** Statuses that are written at once. */
const AT_ONCE = 16;
/** Milliseconds. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 60_000;

export interface StatusWriterParts {
  client: KubeClient;
  objects: EncryptedSecrets;
  events: Pick<EventRecorder, 'emit'>;
  now(): Date;
  signal: AbortSignal;
}

/**
 * The one place that writes status: to the status subresource, by server-side apply, only where it would say something else than
 * the object's own, be that of an earlier run. Of several for one object the last is written. What fails is tried again.
 */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  /** To be written. */
  #due = new Map<Key, SecretStatus>();
  /** Told of a secret that has no object yet. */
  readonly #homeless = new Map<Key, SecretStatus>();
  readonly #waits = new BackOff(FIRST_WAIT, LONGEST_WAIT);
  #working: Promise<void> | undefined;
  #trouble: CofferError | undefined;

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
    parts.objects.onChange((home, object) => {
      const status = this.#homeless.get(home);
      if (object === undefined || status === undefined) return;
      this.#homeless.delete(home);
      this.#add([status]);
    });
  }

  /** Why the last try to write one failed. */
  get trouble(): CofferError | undefined {
    return this.#trouble;
  }

  /** Returns at once. */
  tell(statuses: readonly SecretStatus[]): void {
    this.#add(statuses);
  }

  forget(home: Key): void {
    this.#due.delete(home);
    this.#homeless.delete(home);
  }

  /** Resolves when nothing waits to be written; rejects by a mistake of ours only. */
  async settled(): Promise<void> {
    await this.#working;
  }

  #add(statuses: readonly SecretStatus[]): void {
    for (const status of statuses) {
      const home = keyOf(status.namespace, status.name);
      // Deleted first, so that the order stays that of the last word on each.
      this.#due.delete(home);
      this.#due.set(home, status);
    }
    this.#start();
  }

  #start(): void {
    if (this.#due.size === 0 || this.#parts.signal.aborted) return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // What was told after the last look and before this.
      this.#start();
    });
  }

  async #work(): Promise<void> {
    const { signal } = this.#parts;
    // All that one batch tells comes together.
    await Promise.resolve();
    while (this.#due.size > 0 && !signal.aborted) {
      const failed = new Map<Key, SecretStatus>();
      await concurrently(this.#take(), AT_ONCE, async ([home, status]) => {
        try {
          await this.#write(home, status);
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof CofferError)) throw error;
          this.#trouble = definitionTrouble(error) ?? error;
          if (this.#trouble.loop === 'retry') failed.set(home, status);
        }
      });
      if (failed.size === 0) {
        this.#waits.reset();
        continue;
      }
      for (const [home, status] of failed) if (!this.#due.has(home)) this.#due.set(home, status);
      await pause(this.#waits.next(), signal);
    }
  }

  /** What is told while others are written is taken as well. */
  *#take(): Generator<[Key, SecretStatus]> {
    for (const row of this.#due) {
      this.#due.delete(row[0]);
      yield row;
    }
  }

  async #write(home: Key, secret: SecretStatus): Promise<void> {
    const { client, objects, events, now, signal } = this.#parts;
    const object = objects.get(home);
    if (object === undefined) {
      this.#homeless.set(home, secret);
      return;
    }
    const status = statusOf(secret, object, now());
    if (statusFingerprint(status) === object.status.fingerprint) return;
    const { namespace, name, uid } = object;
    const resource = RESOURCES.encryptedSecrets;
    const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { namespace, name }, status };
    const options = { subresource: 'status', metadataOnly: true, signal } as const;
    const { metadata } = await client.apply<KubeObject>(resource, { namespace, name }, body, options);
    this.#trouble = undefined;
    objects.takeStatus(home, metadata, status);
    const regarding = { apiVersion: body.apiVersion, kind: body.kind, namespace, name, uid };
    for (const event of eventsOf(object.status, status)) events.emit({ regarding, ...event });
  }
}
