import { Bug, type CofferError } from '../../core/errors.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Key } from '../reconcile/state/claim.ts';

/** What is kept in memory of an EncryptedSecret object. */
export interface StoredObject {
  namespace: string;
  name: string;
  uid: string;
  generation: number;
  /** This operator applied it from git; everything else is somebody else's to carry. */
  isMirror: boolean;
  /** Of its spec as this cluster sees it: without the stanzas of others. */
  fingerprint: string;
}

export type ObjectListener = (key: Key, object: StoredObject | undefined) => void;

/** The one watch over EncryptedSecret objects, which mirrors, status and the source of objects share. */
export class EncryptedSecrets {
  /** All were seen once, or their kind is not served. */
  readonly synced: Promise<void> = Promise.resolve();

  constructor(_client: KubeClient, _options: { namespaces: readonly string[]; cluster: string }) {
    throw new Bug('not written yet');
  }

  /** Why objects cannot be seen now: `KUBERNETES_NO_KIND` where the CustomResourceDefinition is missing. */
  get trouble(): CofferError | undefined {
    return undefined;
  }

  /** Until the signal. */
  async run(_signal: AbortSignal): Promise<void> {}

  get(_key: Key): StoredObject | undefined {
    return undefined;
  }

  /** Those that somebody else applies. */
  foreign(): Iterable<StoredObject> {
    return [];
  }

  /** Of a foreign object: a manifest in JSON, one document, of its metadata only the name and namespace, without stanzas of others. */
  manifestText(_key: Key): Buffer | undefined {
    return undefined;
  }

  /** Called for each change of an object's spec, for new and for deleted ones (`undefined`); not for changes of status. */
  onChange(_listener: ObjectListener): void {}
}
