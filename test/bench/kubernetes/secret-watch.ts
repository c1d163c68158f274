/** Sees Secrets and EncryptedSecrets come and change, as any client of the cluster does. */

import type { Cluster } from '../../cluster/cluster.ts';

const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const PATIENCE_MS = 10 * 60 * 1000;

interface Seen {
  /** `NAMESPACE/NAME` */
  key: string;
  moment: number;
}

export class SecretWatch {
  readonly #seen = new Map<string, number>();
  readonly #waiting = new Set<(seen: Seen) => void>();

  /** @param path of the collection, e.g. `/api/v1/secrets`; only what `isMeant` is seen */
  static start(cluster: Cluster, path: string, isMeant: (event: WatchedObject) => boolean, whole = false): SecretWatch {
    const watch = new SecretWatch();
    watch.#run(cluster, path, isMeant, whole).catch((error: NodeJS.ErrnoException) => {
      // The cluster is stopped while it is watched.
      if (error.code !== 'ECONNRESET' && error.code !== 'ECONNREFUSED') throw error;
    });
    return watch;
  }

  get count(): number {
    return this.#seen.size;
  }

  /** When (performance.now()) so many different ones had been seen. */
  async until(count: number): Promise<number> {
    if (this.count >= count) return Math.max(...this.#seen.values());
    return this.#next(({ moment }) => (this.count >= count ? moment : undefined), `${count} objects`);
  }

  /** When the next change of one is seen. */
  change(key: string): Promise<number> {
    return this.#next((seen) => (seen.key === key ? seen.moment : undefined), key);
  }

  #next(answer: (seen: Seen) => number | undefined, what: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`${what} did not come; ${this.count} are there`));
      }, PATIENCE_MS);
      const look = (seen: Seen) => {
        const moment = answer(seen);
        if (moment === undefined) return;
        clearTimeout(late);
        this.#waiting.delete(look);
        resolve(moment);
      };
      this.#waiting.add(look);
    });
  }

  /** A server drops watchers that it finds slow; a new watch starts with all that is there. */
  async #run(
    cluster: Cluster,
    path: string,
    isMeant: (object: WatchedObject) => boolean,
    whole: boolean,
  ): Promise<void> {
    const accept = whole ? 'application/json' : METADATA_ONLY;
    for (;;) {
      for await (const { object } of cluster.admin.events(`${path}?watch=1&timeoutSeconds=3600`, accept)) {
        const watched = object as WatchedObject;
        if (!watched.metadata?.namespace?.startsWith('bench-') || !isMeant(watched)) continue;
        this.#see({ key: `${watched.metadata.namespace}/${watched.metadata.name}`, moment: performance.now() });
      }
    }
  }

  #see(seen: Seen): void {
    if (!this.#seen.has(seen.key)) this.#seen.set(seen.key, seen.moment);
    for (const look of this.#waiting) look(seen);
  }
}

export interface WatchedObject {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  status?: { conditions?: { type: string; status: string }[] };
}
