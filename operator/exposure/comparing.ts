import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditRecord, IntentRecord } from '../../core/audit/record.ts';
import { CofferError, orNothing } from '../../core/errors.ts';
import { familyOf } from '../../core/exposure/current-values.ts';
import type { Unproven } from '../../core/exposure/exposure.ts';
import { textDigest } from '../../core/exposure/text-digest.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import { openingKeys, openManifest } from '../../core/opening/open-manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';
import type { ComparedMemory, Comparison } from './compared-memory.ts';
import type { ComparisonBudget } from './comparison-budget.ts';
import type { SourceExposure } from './source-exposure.ts';

export interface ComparingOptions {
  cluster: string;
  audit: Pick<AuditLog, 'append'>;
  memory: ComparedMemory;
  /** How often one exposed entry is compared. */
  budget: ComparisonBudget;
}

/** A manifest of some commit in which a sealed text stands, and which our keys open. */
interface Openable {
  manifest: Manifest;
  entry: string;
  kids: readonly string[];
  dataKeyIds: readonly string[];
}

/** So many versions of a file are tried for one text: rewrapping makes new ones, and any of them may be for us. */
const MOST_VERSIONS = 32;

/**
 * Opens sealed values of one entry and says whether they are the same: a record on disk before and one after, no value anywhere else
 * than in memory, and there only as long as it takes (docs/architecture.md, promises 2 and 7).
 */
export class Comparing {
  readonly #options: ComparingOptions;
  readonly #site: SourceExposure;
  readonly #opener: Opener;
  /** What was compared so often today that it has to wait. */
  readonly postponed: Unproven[] = [];
  /** Digest → where it can be opened. */
  readonly #openable = new Map<string, Openable | undefined>();

  constructor(options: ComparingOptions, site: SourceExposure, opener: Opener) {
    this.#options = options;
    this.#site = site;
    this.#opener = opener;
  }

  /** All of one current value; returns of how many pairs our keys open both. Throws AUDIT_*, FILE_SYSTEM, GIT_*. */
  async compare(pairs: readonly Unproven[]): Promise<number> {
    const [first] = pairs;
    const current = first === undefined ? undefined : await this.#find(first.current.text, first.current.entry);
    if (first === undefined || current === undefined) return 0;
    const open: { pair: Unproven; former: Openable }[] = [];
    for (const pair of pairs) {
      const former = await this.#find(pair.former.text, pair.former.entry);
      if (former !== undefined) open.push({ pair, former });
    }
    const allowed = this.#withinBudget(open);
    return allowed.length === 0 ? 0 : await this.#recorded(first.current, current, allowed);
  }

  #withinBudget<Pair extends { pair: Unproven }>(pairs: readonly Pair[]): Pair[] {
    return pairs.filter(({ pair }) => {
      const isAllowed = this.#options.budget.allows(formerEntry(pair), pair.current.text);
      if (!isAllowed) this.postponed.push(pair);
      return isAllowed;
    });
  }

  /** Which of our keys open what is to be compared. */
  async kidsFor(pairs: readonly Unproven[]): Promise<readonly string[]> {
    const kids: string[] = [];
    for (const { text, entry } of pairs.flatMap(({ current, former }) => [current, former])) {
      kids.push(...((await this.#find(text, entry))?.kids ?? []));
    }
    return kids;
  }

  async #recorded(
    { namespace, name, entry, path }: Unproven['current'],
    current: Openable,
    open: readonly { pair: Unproven; former: Openable }[],
  ): Promise<number> {
    const { cluster, audit, memory, budget } = this.#options;
    const used = [current, ...open.map(({ former }) => former)];
    const intent: IntentRecord = {
      event: 'secret.intent',
      action: 'compare',
      operation: randomUUID(),
      ...{ cluster, namespace, name, entries: [entry], path, source: this.#site.source.id },
      ...(this.#site.state === undefined ? {} : { commit: this.#site.state.commit }),
      keyIds: sorted(used.flatMap(({ kids }) => kids)),
      dataKeyIds: sorted(used.flatMap(({ dataKeyIds }) => dataKeyIds)),
    };
    await audit.append([intent]);
    for (const { pair } of open) budget.count(formerEntry(pair), pair.current.text);
    const outcome = { ...intent, event: 'secret.outcome' } as const;
    try {
      const found = this.#compared(current, open);
      const records = found.map((comparison): AuditRecord => ({ ...intent, event: 'value.compared', ...comparison }));
      await audit.append([...records, { ...outcome, outcome: 'done' }]);
      await memory.remember(found);
      return found.length;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      const { code, message, loop } = error;
      await audit.append([{ ...outcome, outcome: loop === 'retry' ? 'failed' : 'refused', code, message }]);
      throw error;
    }
  }

  #compared(current: Openable, open: readonly { pair: Unproven; former: Openable }[]): Comparison[] {
    const now = this.#open(current);
    try {
      return open.flatMap(({ pair, former }) => {
        const outcome = this.#outcome(now, former);
        return outcome === undefined ? [] : [{ from: pair.former.text, to: pair.current.text, outcome }];
      });
    } finally {
      now.fill(0);
    }
  }

  /** Undefined where the former value does not open although a stanza is for us: of it nothing is proven, and of the others all. */
  #outcome(now: Buffer, former: Openable): 'changed' | 'same' | undefined {
    const then = orNothing(() => this.#open(former));
    if (then === undefined) return undefined;
    const outcome = isSame(now, then) ? 'same' : 'changed';
    then.fill(0);
    return outcome;
  }

  #open({ manifest, entry }: Openable): Buffer {
    const { values } = openManifest(manifest, this.#opener, [entry]);
    return values.get(entry) ?? Buffer.alloc(0);
  }

  /** A version of the manifest that has this text and that opens: which keys a version is sealed to is not bound to the text. */
  async #find(text: string, entry: string): Promise<Openable | undefined> {
    if (this.#openable.has(text)) return this.#openable.get(text);
    const found = await this.#search(text, entry);
    this.#openable.set(text, found);
    return found;
  }

  async #search(text: string, entry: string): Promise<Openable | undefined> {
    let tried = 0;
    for (const { oid } of this.#site.records?.versionsWith(text) ?? []) {
      if (++tried > MOST_VERSIONS) return undefined;
      const bytes = await this.#site.source.repository.readBlobWithin(oid);
      for (const manifest of bytes === undefined ? [] : manifestProblems(bytes, oid).file.manifests) {
        const openable = this.#tried(manifest, text, entry);
        if (openable !== undefined) return openable;
      }
    }
    return undefined;
  }

  #tried(manifest: Manifest, text: string, entry: string): Openable | undefined {
    const value = manifest.entries.get(entry);
    if (value?.kind !== 'sealed' || textDigest(value.text) !== text) return undefined;
    const keys = orNothing(() => openingKeys(manifest, this.#opener, [entry]));
    if (keys === undefined) return undefined;
    const [kids, dataKeyIds] = [keys.map(({ kid }) => kid), keys.map(({ dataKeyId }) => dataKeyId)];
    return { manifest, entry, kids, dataKeyIds };
  }
}

/** With the former value that rotation keeps as ENTRY.previous: whoever writes there guesses at the same. */
function formerEntry({ former: { namespace, name, entry } }: Unproven): string {
  return JSON.stringify([namespace, name, familyOf(entry)]);
}

/** Values of another length are other values; how long a value is was never secret from who reads ciphertext. */
function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
