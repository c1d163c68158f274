import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AuditRecord } from '../../core/audit/record.ts';
import { RecordedComparisons } from '../../core/exposure/comparisons.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { throwRefusal } from '../../core/files/system-error.ts';

export type Comparison = Pick<AuditRecord<'value.compared'>, 'from' | 'to' | 'outcome'>;

/**
 * What this operator compared and recorded, as lines `FROM TO OUTCOME` in its state directory. It is no more than a note on what the
 * audit log says: where it is lost, values are compared again.
 */
export class ComparedMemory extends RecordedComparisons {
  readonly #file: string;

  private constructor(file: string) {
    super();
    this.#file = file;
  }

  /** Throws FILE_SYSTEM. */
  static async open(stateDirectory: string): Promise<ComparedMemory> {
    const memory = new ComparedMemory(join(stateDirectory, 'exposure', 'compared'));
    for (const line of (await readIfThere(memory.#file)).split('\n')) {
      const [from, to, outcome] = line.split(' ');
      if (outcome === 'changed' || outcome === 'same') memory.#take({ from, to, outcome });
    }
    return memory;
  }

  /** After they are in the log. Throws FILE_SYSTEM. */
  async remember(comparisons: readonly Comparison[]): Promise<void> {
    for (const comparison of comparisons) this.#take(comparison);
    const lines = comparisons.map(({ from, to, outcome }) => `${from} ${to} ${outcome}\n`);
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await appendFile(this.#file, `\n${lines.join('')}`, { mode: 0o600 });
    } catch (error) {
      throwRefusal(error);
    }
  }

  #take({ from, to, outcome }: { [field in keyof Comparison]: Comparison[field] | undefined }): void {
    if (from === undefined || to === undefined || outcome === undefined) return;
    this.add({ event: 'value.compared', from, to, outcome });
  }
}
