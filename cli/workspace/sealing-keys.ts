import { stat } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { undefinedIfMissing } from '../../core/files/system-error.ts';
import type { SealingKey } from '../../core/format/sealed/stanza.ts';
import { sealingKeys } from '../../core/keys/sealing-keys.ts';
import { confirmKeys } from './known-keys.ts';
import { confirmId, confirmPins } from './pinning.ts';
import { refuseBroken, type Workspace } from './workspace.ts';

/**
 * The keys that a value for these recipients is sealed to. At a terminal the person is asked about a recipient
 * that is not pinned, or whose key is older than before; without one that is an error. Throws what is wrong with a recipient's file, if it is broken, and
 * PINS_NONE where COFFER_PINS names none.
 */
export async function sealingKeysFor(workspace: Workspace, names: Iterable<string>): Promise<SealingKey[]> {
  const wanted = [...names];
  for (const name of wanted) refuseBroken(workspace.keyring, name);
  await refuseNoPins(process.env.COFFER_PINS);
  await confirmId(workspace);
  await confirmPins(workspace, wanted);
  const keys = sealingKeys(workspace.keyring, workspace.pins, wanted);
  await confirmKeys(workspace, wanted);
  return keys;
}

/** Whoever names a file of pins means to have some: a mistyped path is told as that, not as recipients to be pinned. */
async function refuseNoPins(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const found = file === '' ? undefined : await stat(file).catch(undefinedIfMissing);
  if (found !== undefined && found.size > 0) return;
  const what = file === '' ? 'is empty' : `names ${file}, which ${found === undefined ? 'is not there' : 'is empty'}`;
  throw new CofferError('PINS_NONE', `COFFER_PINS ${what}`, {
    advice:
      'Unset COFFER_PINS to use your own pins. For a file of them, run `coffer recipients list --pins` with COFFER_PINS unset, where the identities are pinned.',
    ...(file === '' ? {} : { data: { file } }),
  });
}
