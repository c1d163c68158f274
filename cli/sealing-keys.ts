import type { SealingKey } from '../core/format/stanza.ts';
import { sealingKeys } from '../core/keys/sealing-keys.ts';
import { confirmKeys } from './known-keys.ts';
import { confirmId, confirmPins } from './pinning.ts';
import { refuseBroken, type Workspace } from './workspace.ts';

/**
 * The keys that a value for these recipients is sealed to. At a terminal the person is asked about a recipient
 * that is not pinned, or whose key is older than before; without one that is an error. Throws what is wrong with a recipient's file, if it is broken.
 */
export async function sealingKeysFor(workspace: Workspace, names: Iterable<string>): Promise<SealingKey[]> {
  const wanted = [...names];
  for (const name of wanted) refuseBroken(workspace.keyring, name);
  await confirmId(workspace);
  await confirmPins(workspace, wanted);
  const keys = sealingKeys(workspace.keyring, workspace.pins, wanted);
  await confirmKeys(workspace, wanted);
  return keys;
}
