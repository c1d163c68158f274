import type { AuditRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { pause } from '../concurrency/pause.ts';
import type { WitnessStore } from './witness-stores.ts';

/** Milliseconds between two that are published: each is a write to the API server. */
const REST = 5000;
/** Logs that are remembered. Where replicas lose their volumes at each start, the longest known go when the record has them. */
const MOST = 64;
/** Of a text that is no note. */
const LONGEST = 4096;

/**
 * Remembers the newest checkpoint of this log where the log itself is not, and tells the log of those of others: that a replica's
 * volume was lost, cut off or set back is then seen by whoever verifies (docs/audit.md).
 */
export class Witness {
  readonly #store: WitnessStore;
  #newest: string | undefined;
  #published: string | undefined;
  #gone: string[] = [];
  /** Why it could not be published last. */
  trouble: CofferError | undefined;

  constructor(store: WitnessStore) {
    this.#store = store;
  }

  /** What is remembered, of this log too: origin → signed note. Throws CofferError. */
  async read(): Promise<ReadonlyMap<string, string>> {
    const notes = [...(await this.#store.read()).values()].filter((note) => note.length <= LONGEST);
    return new Map(notes.map((note) => [originOf(note), note]));
  }

  /** Records of the other logs of this cluster, for one that begins or goes on as `origin`. */
  recordsFor(origin: string, known: ReadonlyMap<string, string>): AuditRecord[] {
    const cluster = clusterOf(origin);
    const others = [...known].filter(([other]) => other !== origin && clusterOf(other) === cluster);
    this.#gone = others.slice(0, Math.max(0, others.length - MOST)).map(([other]) => idOf(other));
    return others.map(([other, checkpoint]) => ({ event: 'log.witnessed', origin: other, checkpoint }));
  }

  /** A checkpoint of this log, which is on disk. */
  checkpointed(note: string): void {
    this.#newest = note;
  }

  /** Publishes until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (await pause(REST, signal)) await this.publish();
  }

  /** Publishes the newest, if that is another; why it cannot be becomes `trouble`. */
  async publish(): Promise<void> {
    const note = this.#newest;
    if (note === undefined || note === this.#published) return;
    try {
      await this.#store.write(idOf(originOf(note)), note, this.#gone);
      this.#gone = [];
      this.#published = note;
      this.trouble = undefined;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.trouble = error;
    }
  }
}

/** The first line of a note (C2SP tlog-checkpoint). */
function originOf(note: string): string {
  return note.slice(0, Math.max(0, note.indexOf('\n')));
}

/** `coffer.dev/audit/CLUSTER/LOGID` */
function clusterOf(origin: string): string | undefined {
  return /^coffer\.dev\/audit\/([^/\s]+)\/[0-9a-f]{16}$/.exec(origin)?.[1];
}

function idOf(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1);
}
