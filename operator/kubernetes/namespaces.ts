import type { CofferError } from '../../core/errors.ts';
import { allOrNone } from '../concurrency/all-or-none.ts';
import type { KubeClient } from './client.ts';
import { ListWatch, type Seen } from './list-watch.ts';
import { type KubeObject, RESOURCES } from './resource.ts';
import { isAmong, isGlob } from './watch-namespaces.ts';

/** Which namespaces there are, of those that are configured. */
export interface Namespaces {
  /** Existing ones, terminating ones too. One that the operator may not look at counts as existing. */
  names(): ReadonlySet<string>;
  isTerminating(name: string): boolean;
  /** Whether the configuration allows it, be it there or not. */
  isConfigured(name: string): boolean;
  onChange(listener: () => void): void;
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** All are known. Where a glob is configured, that needs the right to list them. */
  readonly synced: Promise<void>;
  /** Why it cannot be seen which match a glob now. */
  readonly trouble: CofferError | undefined;
}

/**
 * `patterns`: names and globs. With names alone each is watched by its name, which RBAC can allow by `resourceNames`
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources).
 */
export function openNamespaces(client: KubeClient, patterns: readonly string[]): Namespaces {
  return new WatchedNamespaces(client, [...new Set(patterns)]);
}

class WatchedNamespaces implements Namespaces {
  readonly synced: Promise<void>;
  readonly #patterns: readonly string[];
  readonly #watches: ListWatch<KubeObject>[];
  /** Where a glob is among the patterns. */
  readonly #everywhere: ListWatch<KubeObject> | undefined;
  readonly #names = new Set<string>();
  readonly #terminating = new Set<string>();
  readonly #listeners: (() => void)[] = [];

  constructor(client: KubeClient, patterns: readonly string[]) {
    this.#patterns = patterns;
    const seen: Seen<KubeObject> = {
      changed: (namespace) => this.#changed(namespace),
      deleted: ({ name }) => this.#deleted(name),
    };
    const options = { resource: RESOURCES.namespaces, metadataOnly: true };
    if (patterns.some(isGlob)) {
      this.#everywhere = new ListWatch(client, options, seen);
      this.#watches = [this.#everywhere];
      // That it may not look says nothing of which there are: taken for none, whatever reaches other namespaces would go from them.
      this.synced = this.#everywhere.synced;
      return;
    }
    const byName = new Map(
      patterns.map((name) => [
        name,
        new ListWatch(client, { ...options, fieldSelector: `metadata.name=${name}` }, seen),
      ]),
    );
    this.#watches = [...byName.values()];
    this.synced = Promise.all(Array.from(byName, ([name, watch]) => this.#settled(name, watch))).then(() => {});
  }

  names(): ReadonlySet<string> {
    return this.#names;
  }

  isTerminating(name: string): boolean {
    return this.#terminating.has(name);
  }

  isConfigured(name: string): boolean {
    return isAmong(this.#patterns, name);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  get trouble(): CofferError | undefined {
    return this.#everywhere?.trouble;
  }

  run(signal: AbortSignal): Promise<void> {
    return allOrNone(signal, (ends) => this.#watches.map((watch) => watch.run(ends)));
  }

  /** Where the operator may not look, a write says soon enough that the namespace is missing. */
  async #settled(name: string, watch: ListWatch<KubeObject>): Promise<void> {
    await watch.settled;
    if (watch.trouble !== undefined) this.#add(name);
  }

  #changed({ metadata: { name, deletionTimestamp } }: KubeObject): void {
    if (!this.isConfigured(name)) return;
    const wasTerminating = this.#terminating.has(name);
    const isTerminating = deletionTimestamp !== undefined;
    if (isTerminating) this.#terminating.add(name);
    else this.#terminating.delete(name);
    if (wasTerminating !== isTerminating && this.#names.has(name)) this.#tell();
    else this.#add(name);
  }

  #add(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#tell();
  }

  #deleted(name: string): void {
    this.#terminating.delete(name);
    if (this.#names.delete(name)) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
