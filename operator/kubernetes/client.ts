import type { KubeObject, ObjectName, Resource } from './resource.ts';

export interface ListOptions {
  /** Absent: all. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** As PartialObjectMetadata: without spec, data and status. */
  metadataOnly?: boolean;
  signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  /** Changes after this one. */
  resourceVersion: string;
  signal: AbortSignal;
  /** Milliseconds without a byte after which it is over; the server sends a bookmark about once a minute. */
  silence: number;
}

/** One line of a watch. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
}

export interface WatchListener {
  /** The server has taken it up. */
  opened(): void;
  event(event: WatchEvent): void;
}

export interface WriteOptions {
  subresource?: 'status';
  /** Have only the metadata answered, which is always so for Secrets: what was written need not come back. */
  metadataOnly?: boolean;
  signal?: AbortSignal;
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields over that others manage; absent: true. */
  force?: boolean;
  fieldManager?: string;
  dryRun?: boolean;
}

export interface PatchOptions extends WriteOptions {
  type: 'merge' | 'json' | 'strategic';
}

export interface DeleteOptions {
  /** Preconditions. */
  uid?: string;
  resourceVersion?: string;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
  signal?: AbortSignal;
}

/**
 * The Kubernetes API as the operator uses it. Every method throws KubernetesError, and the reason of its signal. What may be
 * repeated is repeated for some seconds; longer troubles are the caller's to wait out. A Secret that was written is answered
 * by its metadata alone.
 */
export interface KubeClient {
  /** The operator's own namespace. */
  readonly namespace: string;
  get<T extends KubeObject>(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<T | undefined>;
  /** The JSON as it came, for what must not become a string; the caller wipes it. */
  getBytes(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<Buffer | undefined>;
  /** In pages; a server that forgets a continuation is asked from the start again. */
  list<T extends KubeObject>(
    resource: Resource,
    options?: ListOptions,
  ): Promise<{ items: T[]; resourceVersion: string }>;
  /** The same, a page at a time: nothing holds all. `page` is called with `isFirst` again where the list had to start anew. */
  listPages<T extends KubeObject>(
    resource: Resource,
    options: ListOptions,
    page: (items: T[], isFirst: boolean) => void,
  ): Promise<{ resourceVersion: string }>;
  /** `body`: an object, or its JSON in a buffer, which stays the caller's to wipe; then `namespace` says where it goes. */
  create<T extends KubeObject>(
    resource: Resource,
    body: KubeObject | object | Buffer,
    options?: WriteOptions & { namespace?: string },
  ): Promise<T>;
  /** Server-side apply. A `metadata.resourceVersion` in the object is a precondition. */
  apply<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    body: KubeObject | Buffer,
    options?: ApplyOptions,
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    body: object | Buffer,
    options: PatchOptions,
  ): Promise<T>;
  /** PUT: the object as a whole, its resourceVersion as the precondition. */
  replace<T extends KubeObject>(resource: Resource, object: T, options?: WriteOptions): Promise<T>;
  /** `false`: it was not there. */
  delete(resource: Resource, name: ObjectName, options?: DeleteOptions): Promise<boolean>;
  /**
   * For ListWatch. Calls back for each event; resolves when the server ends it. Throws `KUBERNETES_GONE` where the changes
   * are no longer to be had and everything must be listed, and `KUBERNETES_ANSWER` where a line is no event.
   */
  watch(resource: Resource, options: WatchOptions, listener: WatchListener): Promise<void>;
  close(): Promise<void>;
}
