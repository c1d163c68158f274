import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The workloads that are yet to be told of a change, kept on disk so that a killed operator still tells them: an empty file
 * NAMESPACE/NAME for each, in a folder of each projection's own. The mark is made before the change.
 */
export class OwedNotifications {
  readonly #directory: string;
  /** How often each was owed; tells whether a change came while a notification was under way. */
  readonly #owed = new Map<string, number>();

  /** `projection`: its path. Another one's marks in the same state directory are neither seen nor settled. */
  constructor(stateDirectory: string, projection: string) {
    const own = createHash('sha256').update(projection).digest('hex').slice(0, 16);
    this.#directory = join(stateDirectory, 'notify', own);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const namespace of readdirSync(this.#directory)) {
      for (const name of readdirSync(join(this.#directory, namespace))) this.#owed.set(`${namespace}/${name}`, 1);
    }
  }

  /** On disk when it returns. Throws what the file system throws. */
  add(workload: string): void {
    const count = this.#owed.get(workload) ?? 0;
    if (count === 0) {
      const file = join(this.#directory, workload);
      const folder = join(file, '..');
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      closeSync(openSync(file, 'a', 0o600));
      for (const path of [folder, this.#directory]) flush(path);
    }
    this.#owed.set(workload, count + 1);
  }

  /** Undoes one `add` whose change was not made. */
  takeBack(workload: string): void {
    const count = this.#owed.get(workload) ?? 0;
    if (count > 1) this.#owed.set(workload, count - 1);
    else this.settle(workload, count);
  }

  /** How often a workload is owed: the number that `settle` wants back. */
  count(workload: string): number {
    return this.#owed.get(workload) ?? 0;
  }

  /** Each workload with a number that `settle` wants back. */
  list(): [workload: string, count: number][] {
    return [...this.#owed];
  }

  /** Takes the mark away, unless the workload was owed again since `list` said `count`. Returns whether it did. */
  settle(workload: string, count: number): boolean {
    if (this.#owed.get(workload) !== count) return false;
    rmSync(join(this.#directory, workload), { force: true });
    this.#owed.delete(workload);
    return true;
  }
}

function flush(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
