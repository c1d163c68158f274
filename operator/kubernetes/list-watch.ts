import { Bug, type CofferError } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, Resource } from './resource.ts';

/** Who is told of what is there. Calls are synchronous and in order; what is kept of the objects is the listener's choice. */
export interface Seen<T extends KubeObject> {
  /** New, changed, or there at a list: also where nothing changed. */
  changed(object: T): void;
  /** Once for each that was known. A deleted and recreated object is deleted, then changed. */
  deleted(name: { namespace: string; name: string; uid: string }): void;
  /** A list has been told in full; again after each relist. */
  synced?(): void;
}

export interface ListWatchOptions {
  resource: Resource;
  /** Absent: all. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  metadataOnly?: boolean;
  /** Milliseconds; absent: ten minutes, some more or less. */
  relistEvery?: number;
}

/** What is there, as a list and the changes after it, over one watch that is opened again whenever it ends. */
export class ListWatch<T extends KubeObject> {
  /** The first list was told. */
  readonly synced: Promise<void>;

  constructor(_client: KubeClient, _options: ListWatchOptions, _seen: Seen<T>) {
    this.synced = Promise.resolve();
  }

  /** Why the server cannot be asked now. */
  get trouble(): CofferError | undefined {
    return undefined;
  }

  /** Until the signal. */
  async run(_signal: AbortSignal): Promise<void> {
    throw new Bug('not written yet');
  }
}
