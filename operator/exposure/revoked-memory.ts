import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Bug } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { fromSystemError } from '../../core/files/system-error.ts';

/**
 * Ids of keys that an accepted state called revoked, a line each. Revoked is for ever (docs/format.md, "Recipients"): who puts the status
 * back, by a revert or on purpose, gives nobody's copy of the key back.
 */
export class RevokedMemory {
  readonly #file: string;
  #known: ReadonlySet<string> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Adds these, and returns all; they are on disk then. Throws FILE_SYSTEM. */
  async learn(kids: readonly string[]): Promise<ReadonlySet<string>> {
    const known = this.#known ?? new Set((await readIfThere(this.#file)).split('\n').filter((line) => KID.test(line)));
    const all = known.union(new Set(kids));
    if (all.size > known.size) await this.#write(all);
    this.#known = all;
    return all;
  }

  async #write(kids: ReadonlySet<string>): Promise<void> {
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeFileAtomically(this.#file, `${[...kids].sort().join('\n')}\n`, { mode: 0o600 });
    } catch (error) {
      throw fromSystemError(error) ?? new Bug('a file could not be written');
    }
  }
}

const KID = /^[0-9a-f]{32}$/;
