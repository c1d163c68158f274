import { Bug, type CofferError } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';
import type { ListWatchOptions, Seen } from './list-watch.ts';
import type { KubeObject } from './resource.ts';

export interface NamespacedWatch {
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** Every namespace that can be read was told in full once. */
  readonly synced: Promise<void>;
  /** Of one namespace, or of any. */
  trouble(namespace?: string): CofferError | undefined;
}

/**
 * Watches in several namespaces, by names and globs: one watch of the whole cluster where a glob is among them (what is in other
 * namespaces is dropped), else one a namespace, so that roles in those namespaces are enough.
 */
export function watchNamespaces<T extends KubeObject>(
  _client: KubeClient,
  _patterns: readonly string[],
  _options: Omit<ListWatchOptions, 'namespace'>,
  _seen: Seen<T>,
): NamespacedWatch {
  throw new Bug('not written yet');
}
