import { join } from 'node:path';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { fromSystemError } from '../../core/files/system-error.ts';

/** Texts by name, in a file of the state directory: what the log was told last, so that only what is new is told. */
export class Remembered {
  readonly #file: string;
  #texts: Map<string, string> | undefined;

  constructor(stateDirectory: string, file: string) {
    this.#file = join(stateDirectory, file);
  }

  /** Empty where nothing was remembered, or what was cannot be read: then it is told again. */
  async read(): Promise<ReadonlyMap<string, string>> {
    this.#texts ??= textsFrom(await readIfThere(this.#file));
    return this.#texts;
  }

  /** In place of what was remembered. Throws CofferError for what the system says. */
  async write(texts: ReadonlyMap<string, string>): Promise<void> {
    const sorted = [...texts].toSorted(([one], [other]) => (one < other ? -1 : 1));
    try {
      await writeFileAtomically(this.#file, `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`, {
        mode: 0o600,
      });
    } catch (error) {
      throw fromSystemError(error) ?? error;
    }
    this.#texts = new Map(sorted);
  }
}

function textsFrom(json: string): Map<string, string> {
  try {
    const rows = Object.entries(Object(JSON.parse(json === '' ? '{}' : json)));
    return new Map(rows.filter((row): row is [string, string] => typeof row[1] === 'string'));
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}
