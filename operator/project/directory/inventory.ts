import type { SecretName } from '../projector.ts';

/** One secret in one workload's folder. */
export interface Projection {
  /** NAMESPACE/NAME. */
  workload: string;
  secret: SecretName;
  /** As the folder was when this operator last left it; undefined until then. */
  fingerprint: string | undefined;
  /** As the folder was when it was last asked to be put back. While that fails it is not asked again and again. */
  asked?: string;
}

/** What this operator projected: by place, and by secret. Folder names are secrets' names, so a place is WORKLOAD/NAME. */
export class Inventory {
  readonly #places = new Map<string, Projection>();
  readonly #secrets = new Map<string, Map<string, Projection>>();
  #turn: Iterator<Projection> = this.#places.values();

  add(projection: Projection): void {
    const { workload, secret } = projection;
    this.#places.set(place(workload, secret.name), projection);
    const key = `${secret.namespace}/${secret.name}`;
    const workloads = this.#secrets.get(key) ?? new Map<string, Projection>();
    this.#secrets.set(key, workloads.set(workload, projection));
  }

  remove({ workload, secret }: Projection): void {
    this.#places.delete(place(workload, secret.name));
    const key = `${secret.namespace}/${secret.name}`;
    const workloads = this.#secrets.get(key);
    workloads?.delete(workload);
    if (workloads?.size === 0) this.#secrets.delete(key);
  }

  at(workload: string, name: string): Projection | undefined {
    return this.#places.get(place(workload, name));
  }

  atPlace(key: string): Projection | undefined {
    return this.#places.get(key);
  }

  of({ namespace, name }: SecretName): Projection[] {
    return [...(this.#secrets.get(`${namespace}/${name}`)?.values() ?? [])];
  }

  /** Up to so many, going on where the last call ended, so that all have their turn. */
  next(count: number): Projection[] {
    const found: Projection[] = [];
    const most = Math.min(count, this.#places.size);
    while (found.length < most) {
      const { value } = this.#turn.next();
      if (value === undefined) this.#turn = this.#places.values();
      else found.push(value);
    }
    return found;
  }

  *secrets(): Iterable<SecretName> {
    for (const workloads of this.#secrets.values()) {
      for (const { secret } of workloads.values()) {
        yield secret;
        break;
      }
    }
  }
}

export function place(workload: string, name: string): string {
  return `${workload}/${name}`;
}
