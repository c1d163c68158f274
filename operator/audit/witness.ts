import { ORIGIN, parseCheckpoint, readCheckpoint } from '../../core/audit/note/checkpoint.ts';
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

/** A log's newest checkpoint that is known. */
export interface Witnessed {
  origin: string;
  /** A signed note. */
  checkpoint: string;
}

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

  /**
   * What is remembered, of this log too. Whoever may write there can only put back what the cluster's `identity` signed: all else is
   * left out, and all counts where the identity is not known yet. Throws CofferError.
   */
  async read(identity: Buffer | undefined): Promise<Witnessed[]> {
    const notes = [...(await this.#store.read()).values()].filter((note) => note.length <= LONGEST);
    return notes.flatMap((checkpoint) => witnessed(checkpoint, identity) ?? []);
  }

  /** Records of the other logs of this cluster, for one that begins or goes on as `origin`. */
  recordsFor(origin: string, known: readonly Witnessed[]): AuditRecord[] {
    const others = known.filter((other) => other.origin !== origin && clusterOf(other.origin) === clusterOf(origin));
    this.#gone = others.slice(0, Math.max(0, others.length - MOST)).map((other) => idOf(other.origin));
    return others.map((other) => ({ event: 'log.witnessed', ...other }));
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
      await this.#store.write(idOf(parseCheckpoint(note).origin), note, this.#gone);
      this.#gone = [];
      this.#published = note;
      this.trouble = undefined;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.trouble = error;
    }
  }
}

function witnessed(checkpoint: string, identity: Buffer | undefined): Witnessed | undefined {
  try {
    const { origin } = identity === undefined ? parseCheckpoint(checkpoint) : readCheckpoint(checkpoint, identity);
    return { origin, checkpoint };
  } catch (error) {
    if (error instanceof CofferError) return undefined;
    throw error;
  }
}

function clusterOf(origin: string): string | undefined {
  return ORIGIN.exec(origin)?.[1];
}

function idOf(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1);
}
