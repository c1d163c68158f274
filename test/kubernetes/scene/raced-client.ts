import type { KubeClient, WatchListener } from '../../../operator/kubernetes/client.ts';
import type { KubeObject, Resource } from '../../../operator/kubernetes/resource.ts';

export interface Race<T extends KubeObject> {
  /** Of what is raced for. */
  resource: Resource;
  /** How it is written; absent: by an apply. */
  by?: 'apply' | 'delete' | 'patch';
  /** What somebody does when the server has done the write. */
  between(): Promise<unknown>;
  /** Whether an event of the watch is the last one that this gives. */
  isTold(event: T | 'gone'): boolean;
}

/**
 * The operator's client, in whose first write somebody comes between: what the server answered is given out only when the
 * operator's own watch has told what they did.
 */
export function racedClient<T extends KubeObject>(
  client: KubeClient,
  { resource: raced, by = 'apply', between, isTold }: Race<T>,
): KubeClient {
  const told = Promise.withResolvers<void>();
  let isRaced = false;
  const watch: KubeClient['watch'] = (resource, options, listener) => {
    const event: WatchListener['event'] = (one) => {
      listener.event(one);
      if (resource !== raced || !isRaced || one.type === 'BOOKMARK') return;
      if (isTold(one.type === 'DELETED' ? 'gone' : (one.object as T))) told.resolve();
    };
    return client.watch(resource, options, { ...listener, event });
  };
  return new Proxy(client, {
    get(target, property) {
      if (property === 'watch') return watch;
      const value = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== by) return value.bind(target);
      return async (...args: unknown[]) => {
        const answer = await value.apply(target, args);
        if (isRaced || args[0] !== raced) return answer;
        isRaced = true;
        await between();
        await told.promise;
        return answer;
      };
    },
  });
}
