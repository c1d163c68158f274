import { Bug } from '../errors.ts';
import type { Reader } from './manifest.ts';
import { type Random, systemRandom } from './random.ts';
import type { SealingKey } from './stanza.ts';

export interface NewManifest {
  namespace: string;
  name: string;
  recipients: readonly string[];
  readers: readonly Reader[];
  type?: string;
  scope?: 'strict' | 'namespace' | 'cluster';
  namespaces?: readonly string[];
  /** Plaintext; stays the caller's to wipe. */
  entries: ReadonlyMap<string, Uint8Array>;
}

/** A sealed manifest in YAML, in the writer's layout. Throws CofferError where a name or type is refused. */
export function renderManifest(
  _manifest: NewManifest,
  _keys: readonly SealingKey[],
  _random: Random = systemRandom,
): string {
  throw new Bug('not written yet');
}
