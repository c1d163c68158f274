import { type GitObject, ObjectStore } from '../../core/git/objects/object-store.ts';
import { Repository } from '../../core/git/repository.ts';
import type { NewObjects } from './new-objects.ts';

/** What a repository has, and objects that are nowhere yet. */
class WithNewObjects extends ObjectStore {
  readonly #objects: NewObjects;

  constructor(objects: NewObjects, beneath: ObjectStore) {
    super([], beneath);
    this.#objects = objects;
  }

  override read(oid: string, largest?: number): GitObject {
    return this.#objects.get(oid) ?? super.read(oid, largest);
  }

  override has(oid: string): boolean {
    return this.#objects.get(oid) !== undefined || super.has(oid);
  }

  override lookup(): (oid: string) => boolean {
    const isBeneath = super.lookup();
    return (oid) => this.#objects.get(oid) !== undefined || isBeneath(oid);
  }
}

/** The repository as it were with them. What is learnt of its history is forgotten with it. */
export function withNewObjects({ directory, objects: beneath }: Repository, objects: NewObjects): Repository {
  return new Repository(directory, new WithNewObjects(objects, beneath));
}
