import { CofferError } from '../../core/errors.ts';
import { checkPin, type Pins } from '../../core/keys/pins.ts';
import { activeKey, type Recipient } from '../../core/keys/recipient.ts';

/**
 * A key that stands in the keyring under this cluster's name and is not its own: everybody would seal to whoever put it there, and
 * this cluster would find out only when the next value cannot be opened. `undefined`: the listed key is ours, or none is stored.
 *
 * @param held the ids of the keys that this operator has
 */
export function foreignKey(listed: Recipient, held: ReadonlySet<string>, pins: Pins): CofferError | undefined {
  const { name, file } = listed;
  if (checkPin(pins, listed) === 'changed') {
    return alarm(`The keyring lists ${name} with another identity than the operator's pins have.`, {
      recipient: name,
      file,
    });
  }
  const wanted = activeKey(listed);
  // Without any key it cannot be told from a loss, which is an alarm of its own.
  if (wanted === undefined || held.size === 0 || held.has(wanted.kid)) return undefined;
  const message = `The keyring's active key of ${name}, ${wanted.kid}, is none that this operator holds.`;
  return alarm(message, { recipient: name, file, keyId: wanted.kid });
}

function alarm(message: string, data: CofferError['data']): CofferError {
  return new CofferError('KEYS_ACTIVE_FOREIGN', message, {
    advice:
      'Stop sealing to it: find the commit that put it there and who signed it, and revert it; if the key was rotated on purpose, give it to this operator.',
    data,
  });
}
