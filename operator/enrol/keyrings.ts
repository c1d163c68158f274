import type { Keyring } from '../../core/keys/keyring.ts';
import { readRepositorySettings } from '../source/repository-settings.ts';
import type { Source } from '../source/source.ts';

/** The keyrings that the accepted states of the sources commit, read again when a source has another state. */
export class Keyrings {
  readonly #sources: readonly Source[];
  readonly #read = new Map<string, { tree: string; keyring: Keyring }>();

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
  }

  /** One for each source; undefined while a source has no accepted state. Throws what its repository throws. */
  async all(): Promise<Keyring[] | undefined> {
    const keyrings: Keyring[] = [];
    for (const source of this.#sources) {
      const state = await source.accepted();
      if (state === undefined) return undefined;
      const before = this.#read.get(source.id);
      const keyring = before?.tree === state.tree ? before.keyring : await readRing(source, state.tree);
      this.#read.set(source.id, { tree: state.tree, keyring });
      keyrings.push(keyring);
    }
    return keyrings;
  }
}

async function readRing({ repository }: Source, tree: string): Promise<Keyring> {
  const { keyring, problems } = await readRepositorySettings(repository, tree, new Map());
  return { ...keyring, problems: [...problems] };
}
