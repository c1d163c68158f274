import type { Change } from '../../git/trees/changes.ts';
import type { Scope } from '../aspects/scope.ts';
import { DigestSet } from './digest-set.ts';
import { DIGEST_BYTES, recordDigest } from './sealed-records.ts';

/** The sealed texts of the accepted commit, as far as they can have moved since: a value that moves is no return. */
export class HeldTexts {
  readonly #scope: Scope;
  readonly #tree: string | null;
  readonly #net: ReadonlyMap<string, Change>;
  #moving: DigestSet | undefined;

  /** `net`: the files in which the head differs from the accepted commit, whose tree this is. */
  constructor(scope: Scope, tree: string | null, net: readonly Change[]) {
    this.#scope = scope;
    this.#tree = tree;
    this.#net = new Map(net.map((change) => [change.path, change]));
  }

  /** Whether it holds the text in this place, or in any file that differs. */
  async has(path: string, aspect: string, text: string): Promise<boolean> {
    this.#moving ??= await this.#textsThatDiffer();
    if (this.#moving.has(recordDigest(text))) return true;
    const changed = this.#net.get(path);
    const side = changed === undefined ? await this.#scope.fileAt(this.#tree, path) : changed.before;
    const aspects = await this.#scope.aspects(path, side);
    return aspects.get(aspect)?.text === text;
  }

  async #textsThatDiffer(): Promise<DigestSet> {
    const texts = new DigestSet(DIGEST_BYTES);
    for (const { path, before } of this.#net.values()) {
      for (const { entry, text } of (await this.#scope.aspects(path, before)).values()) {
        if (entry !== undefined) texts.add(recordDigest(text));
      }
    }
    return texts;
  }
}
