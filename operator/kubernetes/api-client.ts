import { eventOf, parse } from './answers.ts';
import { type Call, type Calls, JSON_TYPE } from './calls.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  PatchOptions,
  WatchListener,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Asked } from './refusal.ts';
import { FIELD_MANAGER, type KubeObject, type ObjectName, pathOf, RESOURCES, type Resource } from './resource.ts';

/** A list is asked for in pages of so many; fewer where the objects are very large. */
const PAGE = 500;
/** Times that a list is begun anew because the server forgot where it was. */
const LIST_ATTEMPTS = 3;
/** Bytes of one line of a watch: etcd takes objects of 1.5 MiB, and JSON escapes make some longer. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** Seconds after which the server ends a watch, some more or less, so that not all end at once. */
const WATCH_SECONDS = 300;

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const METADATA_TYPE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST_TYPE = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // The server reads JSON as the YAML that it is: https://kubernetes.io/docs/reference/using-api/server-side-apply/
  apply: 'application/apply-patch+yaml',
};

/** The client over HTTP. */
export class ApiClient implements KubeClient {
  readonly namespace: string;
  readonly #calls: Calls;

  constructor(calls: Calls, namespace: string) {
    this.#calls = calls;
    this.namespace = namespace;
  }

  async get<T extends KubeObject>(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<T | undefined> {
    const body = await this.getBytes(resource, name, signal);
    return body === undefined ? undefined : parse<T>(body);
  }

  async getBytes(resource: Resource, name: ObjectName, signal?: AbortSignal): Promise<Buffer | undefined> {
    const path = pathOf(resource, name);
    return this.#calls.unlessAbsent({ verb: 'get', resource, name, method: 'GET', path, idempotent: true, signal });
  }

  async list<T extends KubeObject>(resource: Resource, options: ListOptions = {}) {
    let all: T[] = [];
    const { resourceVersion } = await this.listPages<T>(resource, options, (items, isFirst) => {
      all = isFirst ? items : all.concat(items);
    });
    return { items: all, resourceVersion };
  }

  async listPages<T extends KubeObject>(
    resource: Resource,
    options: ListOptions,
    page: (items: T[], isFirst: boolean) => void,
  ): Promise<{ resourceVersion: string }> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pages(resource, options, page);
      } catch (error) {
        const isForgotten = error instanceof KubernetesError && error.code === 'KUBERNETES_GONE';
        if (!isForgotten || attempt === LIST_ATTEMPTS) throw error;
      }
    }
  }

  async #pages<T extends KubeObject>(
    resource: Resource,
    { namespace, labelSelector, fieldSelector, metadataOnly, signal }: ListOptions,
    page: (items: T[], isFirst: boolean) => void,
  ): Promise<{ resourceVersion: string }> {
    const name = namespace === undefined ? {} : { namespace };
    const accept = metadataOnly ? METADATA_LIST_TYPE : JSON_TYPE;
    let next: string | undefined;
    let limit = PAGE;
    for (;;) {
      const query = queryOf({ labelSelector, fieldSelector, limit: String(limit), continue: next });
      const path = pathOf(resource, name) + query;
      try {
        const body = await this.#calls.call({
          verb: 'list',
          resource,
          name,
          method: 'GET',
          path,
          accept,
          idempotent: true,
          signal,
        });
        const { items, metadata } = parse<{
          items: T[] | null;
          metadata: { resourceVersion: string; continue?: string };
        }>(body);
        // The server writes a list of nothing as null where it converts to metadata.
        page(items ?? [], next === undefined);
        if (!metadata.continue) return { resourceVersion: metadata.resourceVersion };
        next = metadata.continue;
      } catch (error) {
        const isLarge = error instanceof KubernetesError && error.code === 'KUBERNETES_ANSWER' && limit > 1;
        if (!isLarge) throw error;
        limit = Math.ceil(limit / 10);
      }
    }
  }

  async create<T extends KubeObject>(
    resource: Resource,
    body: object | Buffer,
    { namespace, ...options }: WriteOptions & { namespace?: string } = {},
  ): Promise<T> {
    const metadata = body instanceof Buffer ? undefined : (body as Partial<KubeObject>).metadata;
    const place = namespace ?? metadata?.namespace;
    const scope = place === undefined ? {} : { namespace: place };
    const name = metadata?.name === undefined ? scope : { ...scope, name: metadata.name };
    const path = pathOf(resource, scope) + queryOf({ fieldManager: FIELD_MANAGER });
    return this.#write({ verb: 'create', resource, name, method: 'POST', path, body, idempotent: false }, options);
  }

  async apply<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    body: object | Buffer,
    { force = true, fieldManager = FIELD_MANAGER, dryRun, ...options }: ApplyOptions = {},
  ): Promise<T> {
    const query = queryOf({ fieldManager, force: String(force), dryRun: dryRun ? 'All' : undefined });
    const path = pathOf(resource, name, options.subresource) + query;
    const asked: Asked = { verb: 'patch', resource, name };
    const contentType = PATCH_TYPES.apply;
    return this.#write({ ...asked, method: 'PATCH', path, body, contentType, idempotent: true }, options);
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    body: object | Buffer,
    { type, ...options }: PatchOptions,
  ): Promise<T> {
    const path = pathOf(resource, name, options.subresource) + queryOf({ fieldManager: FIELD_MANAGER });
    const asked: Asked = { verb: 'patch', resource, name };
    const contentType = PATCH_TYPES[type];
    return this.#write({ ...asked, method: 'PATCH', path, body, contentType, idempotent: type === 'merge' }, options);
  }

  async replace<T extends KubeObject>(resource: Resource, object: T, options: WriteOptions = {}): Promise<T> {
    const name = object.metadata;
    const path = pathOf(resource, name, options.subresource) + queryOf({ fieldManager: FIELD_MANAGER });
    const asked: Asked = { verb: 'update', resource, name };
    // The second time, a resourceVersion that the first consumed would be a conflict.
    return this.#write({ ...asked, method: 'PUT', path, body: object, idempotent: false }, options);
  }

  async delete(
    resource: Resource,
    name: ObjectName,
    { uid, resourceVersion, propagation, signal }: DeleteOptions = {},
  ): Promise<boolean> {
    const preconditions = { uid, resourceVersion };
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: propagation };
    const path = pathOf(resource, name);
    const answer = await this.#calls.unlessAbsent({
      ...{ verb: 'delete', resource, name, method: 'DELETE', path, body, signal },
      // Without its uid, another of the same name could be there the second time.
      idempotent: uid !== undefined,
    });
    return answer !== undefined;
  }

  async watch(resource: Resource, options: WatchOptions, listener: WatchListener): Promise<void> {
    const { namespace, labelSelector, fieldSelector, metadataOnly, resourceVersion, signal, silence } = options;
    const name = namespace === undefined ? {} : { namespace };
    const asked: Asked = { verb: 'watch', resource, name };
    const timeoutSeconds = String(Math.round(WATCH_SECONDS * (0.8 + Math.random() * 0.4)));
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      labelSelector,
      fieldSelector,
      timeoutSeconds,
    };
    const path = pathOf(resource, name) + queryOf(query);
    const headers = { accept: metadataOnly ? METADATA_TYPE : JSON_TYPE };
    const lines = new LineSplitter(LONGEST_LINE);
    const take = (line: Buffer) => listener.event(eventOf(line, asked));
    await this.#calls.follow({ ...asked, path, headers, signal }, silence, {
      opened: () => listener.opened(),
      data: (chunk) => lines.push(chunk, take),
    });
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async #write<T extends KubeObject>(call: Call, { metadataOnly, signal }: WriteOptions): Promise<T> {
    const isPrivate = call.resource.plural === RESOURCES.secrets.plural;
    const accept = metadataOnly || isPrivate ? METADATA_TYPE : JSON_TYPE;
    return parse<T>(await this.#calls.call({ ...call, accept, signal }));
  }
}

function queryOf(parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return `?${query}`;
}
