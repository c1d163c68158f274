import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The workloads that are yet to be told of a change, kept on disk so that a killed operator still tells them: an empty file
 * NAMESPACE/NAME for each. The mark is made before the change.
 */
export class OwedNotifications {
  readonly #directory: string;
  /** How often each was owed; tells whether a change came while a notification was under way. */
  readonly #owed = new Map<string, number>();

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'notify');
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
