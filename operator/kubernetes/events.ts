import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pause } from '../concurrency/pause.ts';
import type { KubeClient } from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { RESOURCES } from './resource.ts';

export interface EventSubject {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid?: string;
}

export interface EventToEmit {
  regarding: EventSubject;
  type: 'Normal' | 'Warning';
  /** CamelCase, for programs. */
  reason: string;
  /** What was done or tried, CamelCase. */
  action: string;
  /** For people; never a value. At most 1,024 bytes are kept. */
  note: string;
}

const CONTROLLER = 'coffer.dev/operator';
/** Bytes, of the API: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const LONGEST_NOTE = 1024;
/** Subjects of which the last event is remembered. */
const REMEMBERED = 10_000;
/** Events of each type that wait to be sent; what comes when so many do is dropped. */
const WAITING = 500;
/** Milliseconds between two events, so that a mistake in a thousand secrets leaves the API server to others. */
const PACE = 50;
/** Milliseconds for what waits at the end. */
const LAST_WORDS = 2000;

/**
 * Events for people who run `kubectl describe` or `kubectl events`: best effort, limited in rate, warnings first, and not sent
 * again when the last one about the same action on the same object said the same.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #instance = process.env.POD_NAME ?? hostname();
  readonly #last = new Map<string, string>();
  readonly #waiting: Record<EventToEmit['type'], EventToEmit[]> = { Warning: [], Normal: [] };
  readonly #ending = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  emit(event: EventToEmit): void {
    const waiting = this.#waiting[event.type];
    if (this.#ending.signal.aborted || this.#isSaid(event) || waiting.length >= WAITING) return;
    waiting.push(event);
    this.#start();
  }

  #start(): void {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
      // What came after the last look and before this.
      const isWaiting = this.#waiting.Warning.length + this.#waiting.Normal.length > 0;
      if (isWaiting && !this.#ending.signal.aborted) this.#start();
    });
  }

  /** Sends what waits, for a short time. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#ending.abort(), LAST_WORDS);
    await this.#sending;
    clearTimeout(timer);
    this.#ending.abort();
  }

  #isSaid({ regarding, type, reason, action, note }: EventToEmit): boolean {
    const { kind, namespace, name, uid } = regarding;
    const subject = digest([kind, namespace, name, uid, action]);
    const said = digest([type, reason, note]);
    if (this.#last.get(subject) === said) return true;
    // The map keeps the order of insertion: the first is the one about which nothing was said for longest.
    this.#last.delete(subject);
    this.#last.set(subject, said);
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
    return false;
  }

  async #send(): Promise<void> {
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      try {
        await this.#client.create(RESOURCES.events, this.#object(event), { signal: this.#ending.signal });
      } catch (error) {
        // Also the status tells what happened: an event that cannot be written holds up nothing.
        if (!(error instanceof KubernetesError) && !this.#ending.signal.aborted) throw error;
      }
      if (!(await pause(PACE, this.#ending.signal))) return;
    }
  }

  #next(): EventToEmit | undefined {
    return this.#waiting.Warning.shift() ?? this.#waiting.Normal.shift();
  }

  #object({ regarding, note, ...event }: EventToEmit) {
    const { namespace, name } = regarding;
    const suffix = randomUUID().slice(0, 8);
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: `${name.slice(0, 240)}.${suffix}` },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      reportingController: CONTROLLER,
      reportingInstance: this.#instance,
      regarding,
      note: cut(note),
      ...event,
    };
  }
}

function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= LONGEST_NOTE) return note;
  // A character of which the end is cut off decodes to U+FFFD.
  return `${bytes
    .subarray(0, LONGEST_NOTE - 3)
    .toString()
    .replace(/\uFFFD$/, '')}…`;
}

function digest(parts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);
}
