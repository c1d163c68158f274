import { ORIGIN, parseCheckpoint, readCheckpoint } from '../../core/audit/note/checkpoint.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { CofferError, orNothing } from '../../core/errors.ts';
import { pause } from '../concurrency/pause.ts';
import type { WitnessStore } from './witness-stores.ts';

/** Milliseconds between two that are published: each is a write to the API server. */
const REST = 5000;
/** Logs that are remembered: those that published last. What goes is in the record of the log that lets it go. */
const MOST = 64;
/** Of a text that is no note. */
const LONGEST = 4096;
/** After a LOGID: when its checkpoint was published. */
const TIME = '.published';

export interface WitnessParts {
  store: WitnessStore;
  /** Of the cluster, Ed25519. Undefined: there is none yet, or its place does not answer. */
  identity(): Promise<Buffer | undefined>;
  now(): Date;
}

/** What an OperatorLog does with what has happened already. */
type Owe = (records: readonly AuditRecord[]) => Promise<void>;

/** A log's newest checkpoint, as somebody wrote it there. */
interface Claim {
  origin: string;
  /** A note, of whoever's signature. */
  checkpoint: string;
  published: string;
}

/**
 * Remembers the newest checkpoint of this log where the log itself is not, and tells the log of those of others: that a replica's
 * volume was lost, cut off or set back is then seen by whoever verifies (docs/audit.md). Whoever may write there can only put back
 * what the cluster's identity signed: all else counts for nothing, and nothing does before that identity can be read.
 */
export class Witness {
  readonly #parts: WitnessParts;
  #claims: readonly Claim[] = [];
  /** A log that was opened and not told yet of the others. */
  #untold: string | undefined;
  #newest: string | undefined;
  #published: string | undefined;
  #gone: string[] = [];
  /** Why it could not be published last. */
  trouble: CofferError | undefined;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  /** Reads what is remembered. Throws CofferError. */
  async read(): Promise<void> {
    const texts = await this.#parts.store.read();
    this.#claims = [...texts].flatMap(([id, note]) => {
      const origin = note.length > LONGEST ? undefined : originOf(note);
      if (origin === undefined || idOf(origin) !== id) return [];
      return [{ origin, checkpoint: note, published: texts.get(id + TIME) ?? '' }];
    });
  }

  /** Notes that claim to be of that log, which sees itself who signed them. */
  claimsOf(origin: string): string[] {
    return this.#claims.filter((claim) => claim.origin === origin).map(({ checkpoint }) => checkpoint);
  }

  /** A log was opened: it is to be told of the others. */
  opened(origin: string): void {
    this.#untold = origin;
  }

  /** What the log that was opened is to be told now, once; nothing while the identity cannot be read. */
  async records(): Promise<AuditRecord[]> {
    const origin = this.#untold;
    const identity = origin === undefined ? undefined : await this.#parts.identity();
    if (origin === undefined || identity === undefined) return [];
    this.#untold = undefined;
    const others = this.#claims.filter(
      (claim) => claim.origin !== origin && clusterOf(claim.origin) === clusterOf(origin),
    );
    const signed = others.filter(({ checkpoint }) => isSigned(checkpoint, identity));
    const newestFirst = signed.toSorted((one, other) => other.published.localeCompare(one.published));
    this.#gone = newestFirst.slice(MOST).map((claim) => idOf(claim.origin));
    return signed.map(({ origin, checkpoint }) => ({ event: 'log.witnessed', origin, checkpoint }));
  }

  /** A checkpoint of this log, which is on disk. */
  checkpointed(note: string): void {
    this.#newest = note;
  }

  /** Publishes, and tells the log of others what it could not be told at once, until the signal. */
  async run(owe: Owe, signal: AbortSignal): Promise<void> {
    while (await pause(REST, signal)) {
      await this.tell(owe);
      await this.publish();
    }
  }

  /** Tells the log that was opened of the others, if that is owed and can be now. */
  async tell(owe: Owe): Promise<void> {
    const records = await this.records();
    if (records.length === 0) return;
    try {
      await owe(records);
    } catch (error) {
      // They are owed all the same, and the status says what is wrong with the log.
      if (!(error instanceof CofferError)) throw error;
    }
  }

  /** Publishes the newest, if that is another; why it cannot be becomes `trouble`. */
  async publish(): Promise<void> {
    const note = this.#newest;
    if (note === undefined || note === this.#published) return;
    const { store, now } = this.#parts;
    const id = idOf(parseCheckpoint(note).origin);
    const gone = this.#gone.flatMap((other) => [other, other + TIME]);
    try {
      await store.write(
        new Map([
          [id, note],
          [id + TIME, now().toISOString()],
        ]),
        gone,
      );
      this.#gone = [];
      this.#published = note;
      this.trouble = undefined;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.trouble = error;
    }
  }
}

function isSigned(checkpoint: string, identity: Buffer): boolean {
  return orNothing(() => readCheckpoint(checkpoint, identity)) !== undefined;
}

/** Of a note; undefined: it is none. */
function originOf(note: string): string | undefined {
  return orNothing(() => parseCheckpoint(note))?.origin;
}

function clusterOf(origin: string): string | undefined {
  return ORIGIN.exec(origin)?.[1];
}

function idOf(origin: string): string {
  return origin.slice(origin.lastIndexOf('/') + 1);
}
