import { Bug, type CofferError } from '../../../core/errors.ts';
import type { KubeClient } from '../../kubernetes/client.ts';

export interface RestartsOptions {
  client: KubeClient;
  /** Names and globs. */
  namespaces: readonly string[];
  /** Names the key of the digests, without telling it: digests under another key are not compared. */
  digestKeyId: string;
}

/** Rolls the workloads that ask for it (`coffer.dev/restart-on-change`) once for each real change of an entry that they read. */
export interface Restarts {
  /**
   * What a Secret of ours holds: a keyed digest of each entry's value. To be called for each that is found at the start, and
   * after each that was written; not for what others made of it. Rolls nothing yet.
   */
  holds(namespace: string, name: string, entries: ReadonlyMap<string, string>): void;

  /** The Secret is gone. */
  gone(namespace: string, name: string): void;

  /**
   * To be awaited once, after `holds` was called for all that is found at the start and before the first write: writes down
   * what the workloads that are seen for the first time read now. Throws nothing.
   */
  begin(signal?: AbortSignal): Promise<void>;

  /** Rolls every workload that reads something that changed, once. Failures are returned and tried again at the next call. */
  notify(signal?: AbortSignal): Promise<CofferError[]>;

  /** Watches the workloads, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function openRestarts(_options: RestartsOptions): Restarts {
  throw new Bug('not written yet');
}
