import type { CofferError } from '../../core/errors.ts';
import { matches } from '../../core/format/manifest/reach.ts';
import { allOrNone } from '../concurrency/all-or-none.ts';
import type { KubeClient } from './client.ts';
import { ListWatch, type ListWatchOptions, type Seen } from './list-watch.ts';
import type { KubeObject } from './resource.ts';

export interface NamespacedWatch {
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** Each namespace was told in full once, or its reading was refused: `trouble` says so as long as that lasts. */
  readonly synced: Promise<void>;
  /** Of one namespace, or of any. */
  trouble(namespace?: string): CofferError | undefined;
}

/**
 * Watches in several namespaces, by names and globs: one watch of the whole cluster where a glob is among them (what is in other
 * namespaces is dropped), else one a namespace, so that roles in those namespaces are enough. Each one's `synced` is told.
 */
export function watchNamespaces<T extends KubeObject>(
  client: KubeClient,
  patterns: readonly string[],
  options: Omit<ListWatchOptions, 'namespace'>,
  seen: Seen<T>,
): NamespacedWatch {
  if (patterns.some(isGlob)) {
    const everywhere = new ListWatch<T>(client, options, only(patterns, seen));
    return {
      run: (signal) => everywhere.run(signal),
      synced: everywhere.settled,
      trouble: () => everywhere.trouble,
    };
  }
  const watches = new Map(
    [...new Set(patterns)].map((namespace) => [namespace, new ListWatch<T>(client, { ...options, namespace }, seen)]),
  );
  const each = [...watches.values()];
  return {
    run: (signal) => allOrNone(signal, (ends) => each.map((watch) => watch.run(ends))),
    synced: Promise.all(each.map(({ settled }) => settled)).then(() => {}),
    trouble: (namespace) =>
      namespace === undefined
        ? each.map(({ trouble }) => trouble).find((trouble) => trouble !== undefined)
        : watches.get(namespace)?.trouble,
  };
}

export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** Whether a namespace is among the names, or matches one of the globs. */
export function isAmong(patterns: readonly string[], namespace: string): boolean {
  return patterns.some((pattern) => matches(pattern, namespace));
}

function only<T extends KubeObject>(patterns: readonly string[], seen: Seen<T>): Seen<T> {
  return {
    changed: (object) => {
      if (isAmong(patterns, object.metadata.namespace ?? '')) seen.changed(object);
    },
    deleted: (name) => {
      if (isAmong(patterns, name.namespace)) seen.deleted(name);
    },
    synced: () => seen.synced?.(),
  };
}
