import { setImmediate } from 'node:timers/promises';
import { Bug, CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { Disturbances } from '../disturbances.ts';
import { OldSets } from '../folder/old-sets.ts';
import type { Anchor } from '../folder/open-folder.ts';
import * as secretFolder from '../folder/secret-folder.ts';
import type { AppliedWorkload, Audience, ProjectedSecret, Projector, SecretName } from '../projector.ts';
import { audienceOf } from './audience.ts';
import { notOurs, projectionFailure } from './failure.ts';
import { Inventory, type Projection, place } from './inventory.ts';
import { markBytes, readSecretMark } from './mark.ts';
import type { Notifier } from './notify.ts';
import type { ProjectionRoot } from './root.ts';
import { secretsIn, Tree } from './tree.ts';
import type { Workload } from './workload.ts';

/** After so many secrets were compared, other work gets its turn. */
const LOOKS_AT_ONCE = 50;
/** Secrets compared at one tick of the timer (0.1 to 0.2 s of work); more than these take several ticks. */
const LOOKS_AT_A_TIME = 1000;

/** What a folder tells of its secret. */
type FolderSecret = Pick<ProjectedSecret, 'namespace' | 'name' | 'type'>;

/** ROOT/NAMESPACE/WORKLOAD/NAME/ENTRY: files that only the workload's user can reach. */
export class DirectoryProjector implements Projector {
  readonly id: string;
  readonly #root: ProjectionRoot;
  readonly #workloads: ReadonlyMap<string, Workload>;
  readonly #notifier: Notifier;
  readonly #inventory = new Inventory();
  readonly #disturbances = new Disturbances();
  readonly #oldSets: OldSets;
  readonly #tree: Tree;
  #isClosed = false;

  constructor(root: ProjectionRoot, workloads: ReadonlyMap<string, Workload>, notifier: Notifier, grace: number) {
    this.#oldSets = new OldSets(grace);
    this.id = root.path;
    this.#root = root;
    this.#workloads = workloads;
    this.#notifier = notifier;
    this.#tree = new Tree(root.folder, (workload, folder) => this.#watchWorkload(workload, folder));
    for (const workload of this.#tree.found()) this.#takeUp(workload);
    for (const workload of workloads.values())
      this.#tree.with(workload, (folder) => this.#watchWorkload(workload, folder));
  }

  audience(manifest: Manifest): Audience[] {
    return audienceOf(manifest, this.#workloads.values());
  }

  async apply(
    secret: FolderSecret,
    audience: readonly Audience[],
    values: ReadonlyMap<string, Uint8Array>,
  ): Promise<AppliedWorkload[]> {
    const applied = audience.map(({ workload, entries }) =>
      this.#attempt(workload, secret, () =>
        this.#give(this.#workload(workload), secret, secretFolder.selectEntries(values, entries)),
      ),
    );
    const readers = new Set(audience.map(({ workload }) => workload));
    const others = this.#inventory.of(secret).filter(({ workload }) => !readers.has(workload));
    return [...applied, ...others.map((projection) => this.#attemptTake(projection))];
  }

  async prune(namespace: string, name: string): Promise<AppliedWorkload[]> {
    return this.#inventory.of({ namespace, name }).map((projection) => this.#attemptTake(projection));
  }

  async heal(again: (namespace: string, name: string) => Promise<void>, where: 'disturbed' | 'all'): Promise<void> {
    const touched = this.#disturbances.take();
    const folders = where === 'all' ? [...this.#workloads.keys()] : touched.map(ownFolderOf);
    for (const workload of new Set(folders)) this.#restoreFolder(workload);
    const places = touched.flatMap((key) => this.#inventory.atPlace(key) ?? []);
    if (where === 'all') places.push(...this.#inventory.next(LOOKS_AT_A_TIME));
    const secrets = new Map<string, SecretName>();
    for (const [index, projection] of places.entries()) {
      if (index % LOOKS_AT_ONCE === 0) await setImmediate();
      const found = this.#look(projection);
      if (found === projection.fingerprint || found === projection.asked) continue;
      projection.asked = found;
      secrets.set(`${projection.secret.namespace}/${projection.secret.name}`, projection.secret);
    }
    for (const { namespace, name } of secrets.values()) await again(namespace, name);
  }

  onDisturbed(listener: () => void): void {
    this.#disturbances.onTouched(listener);
  }

  owned(): Iterable<SecretName> {
    return this.#inventory.secrets();
  }

  notify(signal?: AbortSignal): Promise<CofferError[]> {
    return this.#notifier.deliver(signal);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#notifier.close();
    this.#disturbances.close();
    this.#oldSets.close();
    this.#root.folder.close();
    this.#root.lock.release();
  }

  /**
   * Learns what an earlier run made in a workload's folder, and clears what it left half done. Where the workload has seen to
   * it that this fails, the others do not suffer: it is told when something is projected there.
   */
  #takeUp(workload: string): void {
    this.#ifPossible(workload, () =>
      this.#tree.withFound(workload, (folder) => {
        for (const name of secretsIn(folder)) this.#takeUpSecret(workload, folder, name);
        secretFolder.removeLeftovers(folder);
      }),
    );
  }

  #takeUpSecret(workload: string, parent: Anchor, name: string): void {
    parent.within(name, (folder) => {
      const secret = readSecretMark(folder, secretFolder.MARK);
      if (secret?.name !== name) return;
      this.#inventory.add({ workload, secret, fingerprint: undefined });
      this.#ifPossible(workload, () => secretFolder.tidy(folder));
    });
  }

  /** For what may fail by the system without harm: it is done again when something is projected. */
  #ifPossible<Result>(workload: string, attempt: () => Result): Result | undefined {
    try {
      return attempt();
    } catch (error) {
      // Throws on what the system did not cause.
      projectionFailure(error, { workload });
      return undefined;
    }
  }

  #attempt(
    workload: string,
    { namespace, name }: SecretName,
    attempt: () => AppliedWorkload['outcome'],
  ): AppliedWorkload {
    try {
      return { workload, outcome: attempt() };
    } catch (error) {
      return { workload, outcome: 'refused', error: projectionFailure(error, { namespace, name, workload }) };
    }
  }

  #give(workload: Workload, secret: FolderSecret, entries: secretFolder.EntrySet): 'unchanged' | 'written' {
    const options = { holder: workload.holder, durable: this.#root.onDisk };
    return this.#tree.with(workload, (parent) => {
      const isOurs = this.#claim(workload.id, secret);
      const found = parent.lstat(secret.name);
      if (found !== undefined && !found.isDirectory()) {
        if (!isOurs) throw notOurs(`Where ${secret.name} should be there is something else.`, {});
        parent.remove(secret.name);
      }
      const mark = markBytes({ coffer: 'secret', namespace: secret.namespace, name: secret.name });
      if (!found?.isDirectory()) {
        this.#owing(
          workload,
          () => secretFolder.createSecretFolder(parent, secret.name, mark, entries, options),
          () => parent.lstat(secret.name) !== undefined,
        );
        parent.within(secret.name, (folder) => this.#noteWritten(workload, secret, folder, entries));
        return 'written';
      }
      return parent.within(secret.name, (folder) => {
        const found = readSecretMark(folder, secretFolder.MARK);
        const isMarked = found?.namespace === secret.namespace && found.name === secret.name;
        if (!isMarked && !isOurs) throw notOurs(`${this.id}/${workload.id}/${secret.name} bears no mark.`, {});
        const fingerprint = secretFolder.fingerprint(folder);
        const comparison = secretFolder.compareEntries(folder, entries, workload.holder);
        if (isMarked && comparison === 'same') {
          this.#note(workload.id, secret, folder, fingerprint);
          return 'unchanged';
        }
        const before = secretFolder.currentSet(folder);
        const replace = () => {
          if (!isMarked) {
            folder.remove(secretFolder.MARK);
            folder.writeFile(secretFolder.MARK, mark, 0o444);
          }
          return secretFolder.replaceEntries(folder, entries, options);
        };
        const isReplaced = () => secretFolder.currentSet(folder) !== before;
        const old = comparison === 'different' ? this.#owing(workload, replace, isReplaced) : replace();
        if (old !== undefined) this.#removeLater(workload.id, secret.name, old);
        this.#noteWritten(workload, secret, folder, entries);
        return 'written';
      });
    });
  }

  /** Makes a change of which the workload is to be told: noted before, and unsaid where it failed before it was made. */
  #owing<Result>(workload: Workload, change: () => Result, isMade: () => boolean): Result {
    this.#notifier.owe(workload);
    try {
      return change();
    } catch (error) {
      if (!isMade()) this.#notifier.takeBack(workload);
      throw error;
    }
  }

  /** Whether this operator made what has the secret's place; throws where that is another secret's. */
  #claim(workload: string, { namespace, name }: SecretName): boolean {
    const holder = this.#inventory.at(workload, name)?.secret;
    if (holder === undefined || holder.namespace === namespace) return holder !== undefined;
    throw new CofferError(
      'PROJECTION_TAKEN',
      `${workload} already has a secret ${name}, of the manifest ${holder.namespace}/${holder.name}.`,
      { advice: 'Rename one of the two manifests, or narrow `namespaces` of the one with scope cluster.' },
    );
  }

  #attemptTake(projection: Projection): AppliedWorkload {
    const { workload, secret } = projection;
    return this.#attempt(workload, secret, () => {
      const configured = this.#workloads.get(workload);
      const isThere = () => this.#tree.withFound(workload, (folder) => folder.lstat(secret.name)) !== undefined;
      const remove = () =>
        this.#tree.withFound(workload, (folder) => secretFolder.removeSecretFolder(folder, secret.name));
      if (isThere() && configured !== undefined) this.#owing(configured, remove, () => !isThere());
      else if (isThere()) remove();
      // An earlier try may have taken it out of sight and not emptied it: before that is gone, it is not removed.
      else this.#tree.withFound(workload, (folder) => secretFolder.removeLeftovers(folder));
      this.#disturbances.forget(place(workload, secret.name));
      this.#inventory.remove(projection);
      if (configured === undefined) this.#tree.removeEmpty(workload);
      return 'removed';
    });
  }

  /**
   * Notes how a folder is after it was written. Watched first, then looked at, then compared: whatever somebody does to it
   * meanwhile differs from the note, or is seen here.
   */
  #noteWritten({ id, holder }: Workload, secret: SecretName, folder: Anchor, entries: secretFolder.EntrySet): void {
    const key = place(id, secret.name);
    this.#disturbances.forget(key);
    this.#watchSecret(key, folder);
    const fingerprint = secretFolder.fingerprint(folder);
    const isRight = secretFolder.compareEntries(folder, entries, holder) === 'same';
    this.#note(id, secret, folder, isRight ? fingerprint : undefined);
    if (!isRight) this.#disturbances.touch(key);
  }

  #note(workload: string, { namespace, name }: SecretName, folder: Anchor, fingerprint: string | undefined): void {
    const key = place(workload, name);
    this.#inventory.add({ workload, secret: { namespace, name }, fingerprint });
    if (!this.#disturbances.watches(key)) this.#watchSecret(key, folder);
  }

  #removeLater(workload: string, name: string, set: string): void {
    const remove = (parent: Anchor) => {
      if (parent.lstat(name)?.isDirectory()) parent.within(name, (folder) => secretFolder.removeSet(folder, set));
    };
    this.#oldSets.add(() => this.#ifPossible(workload, () => this.#tree.withFound(workload, remove)));
  }

  #watchSecret(key: string, folder: Anchor): void {
    const set = secretFolder.currentSet(folder);
    if (set !== undefined) folder.within(set, (files) => this.#disturbances.watch(key, [folder, files], () => key));
  }

  /** The fingerprint of what is there; `gone` where that is not what was projected at all. */
  #look({ workload, secret }: Projection): string {
    const found = this.#ifPossible(workload, () =>
      this.#tree.withFound(workload, (parent) => {
        if (!parent.lstat(secret.name)?.isDirectory()) return undefined;
        return parent.within(secret.name, secretFolder.fingerprint);
      }),
    );
    return found ?? 'gone';
  }

  #watchWorkload(workload: Workload, folder: Anchor): void {
    this.#disturbances.watch(workload.id, [folder], (name) => place(workload.id, name));
  }

  #restoreFolder(workload: string): void {
    const configured = this.#workloads.get(workload);
    if (configured !== undefined) this.#ifPossible(workload, () => this.#tree.with(configured, () => {}));
  }

  #workload(id: string): Workload {
    const workload = this.#workloads.get(id);
    if (workload === undefined) throw new Bug('an audience that is not of this projector');
    return workload;
  }
}

/** NAMESPACE/NAME where a key of `Disturbances` says that a workload's own folder was touched. */
function ownFolderOf(key: string): string {
  return key.endsWith('/.') ? key.slice(0, -2) : '';
}
