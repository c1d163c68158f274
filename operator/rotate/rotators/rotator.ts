import { CofferError } from '../../../core/errors.ts';

/** Values by entry of one manifest. Whoever gets them wipes them. */
export type EntryValues = ReadonlyMap<string, Buffer>;

/** What a rotation changes: both are values of the rotator's entries. */
export interface Change {
  former: EntryValues;
  next: EntryValues;
}

/**
 * Changes a credential where it is used. Every step may be called again, after a crash for instance, and then ends the same way.
 * What `former` allows works until `retire`. All throw CofferError `ROTATOR_…`, with no text of a server or program in it.
 */
export interface Rotator {
  /** As manifests name it. */
  readonly name: string;
  /** Whether `retire` can end nothing but what the operator's configuration names, whatever somebody put into `former`. */
  readonly isConfined: boolean;
  /** The entries that change together where a manifest names this rotator for `entry`. Throws ROTATOR_ENTRY. */
  entriesOf(entry: string): readonly string[];
  /** The values that come next, of `entriesOf`. Changes nothing anywhere. `current`: what they hold, as far as there is anything. */
  next(current: EntryValues, entries: readonly string[]): EntryValues;
  /** Makes `next` work beside `former`. */
  install(change: Change, signal: AbortSignal): Promise<void>;
  /** Tries `next` as an application would. */
  verify(change: Change, signal: AbortSignal): Promise<void>;
  /** Ends what `former` allows, and with `isExposed` also what was begun with it. */
  retire(change: Change, options: { isExposed: boolean }, signal: AbortSignal): Promise<Retired>;
}

export interface Retired {
  /** What still runs on the former credential, in words that are safe to publish; absent: nothing. */
  remains?: string;
}

export function wipeValues(values: EntryValues): void {
  for (const value of values.values()) value.fill(0);
}

/** What `verify` throws where the server or program was asked, and does not take the credential. */
const REFUSALS: ReadonlySet<string> = new Set(['ROTATOR_LOGIN_REFUSED', 'ROTATOR_COMMAND_FAILED']);

/** Whether `verify` has shown that `next` does not work; any other error shows nothing about it. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CofferError && REFUSALS.has(error.code);
}
