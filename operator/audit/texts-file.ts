import { join } from 'node:path';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { throwRefusal } from '../../core/files/system-error.ts';
import { objectOf, parseJson } from '../../core/json.ts';

/** Texts by name, in a file of the state directory: what the log was told last, so that only what is new is told. */
export class TextsFile {
  readonly #file: string;
  #texts: ReadonlyMap<string, string> | undefined;
  /** What memory has and the file has not. */
  #isBehind = false;

  constructor(stateDirectory: string, file: string) {
    this.#file = join(stateDirectory, file);
  }

  /** Empty where nothing was remembered, or what was cannot be read: then it is told again. */
  async read(): Promise<ReadonlyMap<string, string>> {
    this.#texts ??= textsFrom(await readIfThere(this.#file));
    return this.#texts;
  }

  /** In place of what was remembered. Throws what `save` throws; what is remembered counts all the same. */
  write(texts: ReadonlyMap<string, string>): Promise<void> {
    this.keep(texts);
    return this.save();
  }

  /** In place of what was remembered, from now on; the file has it with the next `save`. */
  keep(texts: ReadonlyMap<string, string>): void {
    this.#texts = texts;
    this.#isBehind = true;
  }

  /** Writes what the file has not yet. Throws CofferError for what the system says. */
  async save(): Promise<void> {
    const texts = this.#texts;
    if (texts === undefined || !this.#isBehind) return;
    const sorted = [...texts].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const text = `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`;
    await writeFileAtomically(this.#file, text, { mode: 0o600 }).catch(throwRefusal);
    // While that was written, more may have come.
    if (this.#texts === texts) this.#isBehind = false;
  }
}

function textsFrom(json: string): Map<string, string> {
  const rows = Object.entries(objectOf(parseJson(json)));
  return new Map(rows.filter((row): row is [string, string] => typeof row[1] === 'string'));
}
