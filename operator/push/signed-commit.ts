import { commitBytes } from '../../core/git/commits/commit-writer.ts';
import { NAMESPACE } from '../../core/signatures/ssh/allowed-signers.ts';
import { signMessage } from '../../core/signatures/ssh/sign-message.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { withIdentity } from '../keys/with-identity.ts';
import { pushFault } from './faults.ts';

export interface Signing {
  cluster: string;
  keys: Pick<KeyStore, 'readIdentity' | 'place'>;
  /** Of the source, for errors. */
  place: string;
}

/**
 * The bytes of a commit by the operator of a cluster, signed by its identity: the same for the same. `time` in seconds since 1970.
 * Throws PUSH_NO_IDENTITY, and what the key store does.
 */
export async function signedCommit(
  { tree, parent, message, time }: { tree: string; parent: string; message: string; time: number },
  { cluster, keys, place }: Signing,
): Promise<Buffer> {
  const by = {
    name: `coffer (${cluster})`,
    // Of the name that objects in clusters are labelled with: nobody has a mailbox there.
    email: `${cluster}@cluster.coffer.dev`,
    time,
  };
  const commit = { tree, parents: [parent], by, message };
  const made = await withIdentity(keys, (seed) =>
    commitBytes(commit, (payload) => signMessage(payload, NAMESPACE, seed)),
  );
  if (made === undefined) throw pushFault('PUSH_NO_IDENTITY', { place });
  return made;
}
