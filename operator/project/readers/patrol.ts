import { CofferError } from '../../../core/errors.ts';
import { allOrNone } from '../../concurrency/all-or-none.ts';
import { pause } from '../../concurrency/pause.ts';
import { Waiting } from '../../concurrency/waiting.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { EventRecorder } from '../../kubernetes/events.ts';
import type { NamespaceReaders } from './namespace-readers.ts';
import { findOffenders, type Offender } from './offenders.ts';
import { lookForPolicy } from './policy-look.ts';

export interface PatrolOptions {
  client: KubeClient;
  events: Pick<EventRecorder, 'emit'>;
  namespaces: ReadonlyMap<string, NamespaceReaders>;
  /** Milliseconds from a reason to look to the look. */
  settle: number;
}

/** Milliseconds between looks at everything: a policy that was missing for a while let pods pass. */
const ROUND = 600_000;
/** Milliseconds until the policy is looked for again where it was missing. */
const SOON = 30_000;
/** Offenders that a status names; their number is given whatever it is. */
const NAMED = 50;

/** Looks for pods that were admitted before the policy knew, tells of them, and looks whether the policy is there. */
export class Patrol {
  readonly #options: PatrolOptions;
  readonly #due = new Waiting();
  readonly #offenders = new Map<string, readonly Offender[]>();
  #policyTrouble: CofferError | undefined;
  readonly #troubles = new Map<string, CofferError>();

  constructor(options: PatrolOptions) {
    this.#options = options;
  }

  get trouble(): CofferError | undefined {
    const [first] = this.#troubles.values();
    return this.#policyTrouble ?? first;
  }

  offenders(): readonly Offender[] {
    return [...this.#offenders.values()].flat();
  }

  lookAt(namespace: string): void {
    this.#due.add(namespace);
  }

  run(signal: AbortSignal): Promise<void> {
    return allOrNone(signal, (ends) => [this.#goRound(ends), this.#look(ends)]);
  }

  async #goRound(signal: AbortSignal): Promise<void> {
    let nextRound = 0;
    do {
      const before = this.#policyTrouble;
      this.#policyTrouble = await unlessAborted(signal, () => lookForPolicy(this.#options.client, signal));
      const isBack = before !== undefined && this.#policyTrouble === undefined;
      if (!isBack && performance.now() < nextRound) continue;
      nextRound = performance.now() + ROUND;
      for (const namespace of this.#options.namespaces.keys()) this.#due.add(namespace);
    } while (await pause(this.#policyTrouble === undefined ? ROUND : SOON, signal));
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const first = await this.#due.take(signal);
      if (first.length === 0 || !(await pause(this.#options.settle, signal))) continue;
      // What came meanwhile is looked at in the next turn, so that many changes in a row are one look.
      for (const namespace of first) await unlessAborted(signal, () => this.#lookAt(namespace, signal));
    }
  }

  async #lookAt(namespace: string, signal: AbortSignal): Promise<void> {
    const readers = this.#options.namespaces.get(namespace);
    if (readers === undefined) return;
    try {
      const found = await findOffenders(this.#options.client, namespace, (secret) => readers.rows(secret), signal);
      const known = new Set(this.#offenders.get(namespace)?.map(({ uid }) => uid));
      for (const offender of found) if (!known.has(offender.uid)) this.#tell(offender);
      if (found.length === 0) this.#offenders.delete(namespace);
      else this.#offenders.set(namespace, found);
      await report(readers, found);
      this.#troubles.delete(namespace);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#troubles.set(namespace, error);
    }
  }

  #tell({ namespace, pod, uid, serviceAccount, secrets }: Offender): void {
    this.#options.events.emit({
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name: pod, uid },
      type: 'Warning',
      reason: 'NotAReader',
      action: 'CheckReaders',
      note: `ServiceAccount ${serviceAccount} may not read ${secrets.join(', ')} (kubectl get secretreaders coffer -n ${namespace} -o yaml). The pod was admitted before the policy knew of that; a new one would be refused.`,
    });
  }
}

async function report(readers: NamespaceReaders, found: readonly Offender[]): Promise<void> {
  const offenders = found
    .slice(0, NAMED)
    .map(({ pod, serviceAccount, secrets }) => ({ pod, serviceAccount, secrets }))
    .sort((a, b) => (a.pod < b.pod ? -1 : 1));
  const before = readers.status;
  const isKnown =
    (before?.offendersTotal ?? 0) === found.length &&
    JSON.stringify((before?.offenders ?? []).map(({ pod, secrets }) => [pod, secrets])) ===
      JSON.stringify(offenders.map(({ pod, secrets }) => [pod, secrets]));
  if (!isKnown) await readers.report({ offendersTotal: found.length, offenders });
}

/** What a signal ended has no error to tell. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
