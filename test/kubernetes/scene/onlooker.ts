import type { TestContext } from 'node:test';
import type { KubeClient } from '../../../operator/kubernetes/client.ts';
import { ListWatch } from '../../../operator/kubernetes/list-watch.ts';
import type { KubeObject, Resource } from '../../../operator/kubernetes/resource.ts';

/** Milliseconds. A limit for what hangs, not for what is slow: ten times what anything here takes on a busy machine. */
export const PATIENCE = 240_000;

/** Somebody who watches one kind in one namespace: what is there, and all that ever was. */
export class Onlooker<T extends KubeObject> {
  /** Every version that was seen, deletions as undefined, in order. */
  readonly history: { name: string; object: T | undefined }[] = [];
  readonly #now = new Map<string, T>();
  readonly #listeners = new Set<() => void>();

  static async open<T extends KubeObject>(
    t: TestContext,
    client: KubeClient,
    resource: Resource,
    namespace: string,
  ): Promise<Onlooker<T>> {
    const onlooker = new Onlooker<T>();
    const watch = new ListWatch<T>(
      client,
      { resource, namespace },
      {
        changed: (object) => onlooker.#see(object.metadata.name, object),
        deleted: ({ name }) => onlooker.#see(name, undefined),
      },
    );
    const end = new AbortController();
    const running = watch.run(end.signal);
    t.after(async () => {
      end.abort();
      await running;
    });
    await watch.synced;
    return onlooker;
  }

  get(name: string): T | undefined {
    return this.#now.get(name);
  }

  names(): string[] {
    return [...this.#now.keys()].sort();
  }

  /** Resolves when what is there under a name answers; at once when it does already. */
  async until(
    name: string,
    answers: (object: T | undefined) => boolean,
    what = 'what was awaited',
  ): Promise<T | undefined> {
    await this.#await(
      () => answers(this.get(name)),
      () => `${name}: ${what} did not come; it is ${show(this.get(name))}`,
    );
    return this.get(name);
  }

  /** The first object, of those that are there or come, that answers. */
  async untilAny(answers: (object: T) => boolean): Promise<T> {
    let found: T | undefined;
    const look = () => {
      found ??= [...this.#now.values()].find(answers);
      return found !== undefined;
    };
    await this.#await(look, () => `what was awaited did not come; there are ${this.names().join(', ')}`);
    if (found === undefined) throw new Error('nothing was found');
    return found;
  }

  async #await(isThere: () => boolean, explain: () => string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (isThere()) resolve();
    };
    const timer = setTimeout(() => reject(new Error(explain())), PATIENCE);
    this.#listeners.add(look);
    try {
      look();
      await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  #see(name: string, object: T | undefined): void {
    this.history.push({ name, object });
    if (object === undefined) this.#now.delete(name);
    else this.#now.set(name, object);
    for (const look of this.#listeners) look();
  }
}

function show(object: KubeObject | undefined): string {
  return object === undefined ? 'not there' : JSON.stringify(object);
}
