import type { CofferError } from '../../../core/errors.ts';
import { type Key, namesOf } from '../../project/namespaced-name.ts';
import type { Publisher } from '../../publish/publisher.ts';
import { namespaceProblem, type ReachableNamespaces } from '../namespaces.ts';
import type { Chosen } from './selection.ts';

/** The mirrors of what a batch reads, made in the background, a part after the other. */
export class Mirrors {
  readonly #publisher: Publisher | undefined;
  readonly #namespaces: ReachableNamespaces;
  /** Why some could not be made. */
  readonly errors = new Map<Key, CofferError>();
  /** What was thrown that we did not reckon with. */
  readonly mistakes: unknown[] = [];
  #carrying: Promise<void> = Promise.resolve();

  constructor(publisher: Publisher | undefined, namespaces: ReachableNamespaces) {
    this.#publisher = publisher;
    this.#namespaces = namespaces;
  }

  /** People look at mirrors, so these show the newest manifest also where it cannot be opened. */
  add(chosen: readonly Chosen[]): void {
    this.#carrying = this.#carrying.then(() => this.#carry(chosen));
  }

  /** Resolves when all that was added is done; does not reject. */
  ended(): Promise<void> {
    return this.#carrying;
  }

  async #carry(chosen: readonly Chosen[]): Promise<void> {
    const carried = chosen.filter(
      ({ home, instead }) =>
        instead === undefined && namespaceProblem(this.#namespaces, namesOf(home).namespace) === undefined,
    );
    if (this.#publisher === undefined || carried.length === 0) return;
    const batch = carried.map(({ home, manifest, source }) => ({
      ...{ home, manifest, groups: source.own },
      isGit: source.objectOf === undefined,
    }));
    try {
      for (const [home, error] of await this.#publisher.carry(batch)) this.errors.set(home, error);
    } catch (error) {
      this.mistakes.push(error);
    }
  }
}
