import { placeFile } from '../../core/files/place-file.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';

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
    if (all.size > known.size) await placeFile(this.#file, `${[...all].sort().join('\n')}\n`, { mode: 0o600 });
    this.#known = all;
    return all;
  }
}

const KID = /^[0-9a-f]{32}$/;
