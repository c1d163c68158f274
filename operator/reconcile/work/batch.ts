import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import type { SecretKeys } from '../../../core/keys/key-directory.ts';
import { type Opener, openerFor } from '../../../core/opening/opener.ts';
import type { Projector } from '../../project/projector.ts';
import { isSamePlace, type Key, keyOf, type Origin, type Place } from '../state/claim.ts';
import type { State } from '../state/state.ts';
import type { Watched } from '../state/watched.ts';
import type { Board } from '../status/secret-statuses.ts';
import { failureRecord, type Intent, intendToProject, project, prune, pruneRecord } from './projection.ts';
import type { Item } from './queue.ts';
import type { Settlement } from './settle.ts';

export interface BatchParts {
  cluster: string;
  projectors: readonly Projector[];
  secretKeys(): Promise<SecretKeys>;
  audit: AuditLog;
  state: State;
  board: Board;
  settlement: Settlement;
  watched: ReadonlyMap<string, Watched>;
}

/** The manifest that is to be projected: its place, its bytes, and the commit it came with. */
type Version = Place & Origin & { blob: string };

interface Task extends Item {
  intent: Intent;
  version: Version;
  /** Why this is not the newest manifest but the last good one. */
  instead?: CofferError;
}

/**
 * Works on some secrets at once: the records of what is about to happen are on disk before the first of them is opened or
 * removed, and the records of how it ended follow (docs/architecture.md, promise 2). A secret that fails keeps what is
 * projected and does not hold back the others (promise 1).
 */
export class Batch {
  readonly #parts: BatchParts;
  readonly #openers = new Map<string, Opener>();
  readonly #outcomes: AuditRecord[] = [];
  #keys: SecretKeys | undefined;

  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  /** How what was done ended, where the log could not take that. */
  get untold(): readonly AuditRecord[] {
    return this.#outcomes;
  }

  /** `removals`: those of the items that are to be taken away. Throws `AUDIT_UNWRITABLE`, `STATE_UNWRITABLE`. */
  async run(items: readonly Item[], removals: ReadonlySet<Key>): Promise<void> {
    const { audit, state } = this.#parts;
    try {
      const isRemoval = ({ home }: Item): boolean => removals.has(home) || this.#isLeftover(home);
      await this.#prune(items.filter(isRemoval).map(({ home }) => home));
      const tasks: Task[] = [];
      for (const item of items) {
        const task = isRemoval(item) ? undefined : await this.#newest(item);
        if (task !== undefined) tasks.push(task);
      }
      await this.#project(await this.#project(tasks));
      await audit.append(this.#outcomes);
      this.#outcomes.length = 0;
      await state.flush();
    } finally {
      for (const opener of this.#openers.values()) opener.wipe();
      this.#keys?.wipe();
    }
  }

  /** Projected under a name that now belongs to a manifest of another name. */
  #isLeftover(home: Key): boolean {
    const record = this.#parts.state.get(home);
    return record !== undefined && record.home !== home;
  }

  async #prune(homes: readonly Key[]): Promise<void> {
    const { cluster, audit, projectors, state, board } = this.#parts;
    const intents = homes.map((home) => ({ home, record: pruneRecord(home, cluster) }));
    if (intents.length > 0) await audit.append(intents.map(({ record }) => record));
    for (const { home, record } of intents) {
      const { records, error } = await prune(home, record, projectors);
      this.#outcomes.push(...records);
      if (error !== undefined) {
        board.failed(home, error, undefined);
        continue;
      }
      board.forget(home);
      if (this.#isLeftover(home)) continue;
      for (const key of [home, ...state.reached(home)]) state.drop(key);
    }
  }

  /** The newest manifest of a secret; where it cannot be, and something has to be put back, the last good one. */
  async #newest(item: Item): Promise<Task | undefined> {
    const { settlement, watched } = this.#parts;
    const claim = settlement.claimOf(item.home);
    if (claim !== undefined) return this.#task(item, { ...claim, ...claim.origin });
    const owner = this.#parts.state.get(item.home)?.owner;
    const error = owner && watched.get(owner.source)?.index.problemsOf(owner.path)[0];
    if (error !== undefined) this.#fail(item.home, error);
    return item.reason === 'restore' ? this.#lastGood(item, undefined, error) : undefined;
  }

  async #task(item: Item, version: Version): Promise<Task | undefined> {
    try {
      return { ...item, version, intent: await this.#intend(item, version) };
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#fail(item.home, error);
      return item.reason === 'restore' ? this.#lastGood(item, version, error) : undefined;
    }
  }

  async #lastGood(
    item: Item,
    failed: Version | undefined,
    instead: CofferError | undefined,
  ): Promise<Task | undefined> {
    const good = this.#parts.state.get(item.home)?.good;
    if (good === undefined || (failed?.blob === good.blob && isSamePlace(failed, good))) return undefined;
    try {
      const intent = await this.#intend(item, good);
      return { ...item, version: good, intent, ...(instead === undefined ? {} : { instead }) };
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#fail(item.home, instead ?? error);
      return undefined;
    }
  }

  async #intend({ home, reason }: Item, version: Version): Promise<Intent> {
    const { cluster, projectors, watched, state } = this.#parts;
    const source = watched.get(version.source);
    if (source === undefined) throw sourceGone(version);
    const manifest = await source.index.manifest(version);
    return intendToProject({
      home,
      manifest,
      opener: await this.#opener(source),
      projectors,
      owns: (namespace) => state.get(keyOf(namespace, manifest.name))?.home === home,
      origin: version,
      source: version.source,
      action: reason === 'restore' ? 'heal' : 'project',
      cluster,
    });
  }

  /** Returns the last good versions of those that failed only when they were opened. */
  async #project(tasks: readonly Task[]): Promise<Task[]> {
    const { audit, board, state } = this.#parts;
    if (tasks.length > 0) await audit.append(tasks.map(({ intent }) => intent.record));
    const again: Task[] = [];
    for (const task of tasks) {
      const { home, version, instead } = task;
      const { workloads, records, error } = await project(task.intent);
      this.#outcomes.push(...records);
      if (error !== undefined || instead !== undefined) {
        board.failed(home, instead ?? (error as CofferError), this.#newestCommit(home), workloads);
        if (error === undefined || instead !== undefined || task.reason !== 'restore') continue;
        const good = await this.#lastGood(task, version, error);
        if (good !== undefined) again.push(good);
        continue;
      }
      board.ready(home, workloads);
      const record = state.get(home);
      if (record === undefined || isSameGood(record.good, version)) continue;
      const { source, path, index, blob, commit, author, time } = version;
      state.set(home, { ...record, good: { source, path, index, blob, commit, author, time } });
    }
    return again;
  }

  #fail(home: Key, error: CofferError): void {
    this.#parts.board.failed(home, error, this.#newestCommit(home));
    this.#outcomes.push(failureRecord({ ...pruneRecord(home, this.#parts.cluster), action: 'project' }, error));
  }

  #newestCommit(home: Key): string | undefined {
    const owner = this.#parts.state.get(home)?.owner;
    return owner && this.#parts.watched.get(owner.source)?.state?.commit;
  }

  async #opener(source: Watched): Promise<Opener> {
    const { id } = source.source;
    const known = this.#openers.get(id);
    if (known !== undefined) return known;
    this.#keys ??= await this.#parts.secretKeys();
    const keyring = source.settings?.keyring ?? { recipients: new Map(), problems: [] };
    const opener = openerFor(keyring, this.#keys, { as: this.#parts.cluster });
    this.#openers.set(id, opener);
    return opener;
  }
}

function isSameGood(good: Version | undefined, version: Version): boolean {
  return (
    good !== undefined && good.blob === version.blob && good.commit === version.commit && isSamePlace(good, version)
  );
}

function sourceGone({ source, path }: Place): CofferError {
  return new CofferError('SOURCE_REMOVED', `the manifest came from a source that is not configured any more`, {
    advice: 'Configure the source again, or move the manifest to one that is.',
    data: { source, file: path },
  });
}
