import { CofferError } from '../../../core/errors.ts';
import { uniteKeys } from '../../../core/keys/new-key.ts';
import type { Pins } from '../../../core/keys/pins.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import { foreignKey } from '../../enrol/foreign-key.ts';
import type { Asked } from '../../requests/asked.ts';

/**
 * This cluster as the accepted states list it: of several repositories the keys of all, each with the latest of its statuses.
 * Undefined: nobody lists it, or what is listed is not certainly its own, of which enrolment raises the alarm (KEYS_…): then there is
 * nothing that may be followed up by a new key, or sealed to.
 *
 * @param identity the one in the store, 32 bytes
 * @param held ids of the keys in the store
 */
export function ownRecipient(
  asked: readonly Asked[],
  cluster: string,
  { identity, held, pins }: { identity: Buffer | undefined; held: ReadonlySet<string>; pins: Pins },
): Recipient | undefined {
  let own: Recipient | undefined;
  for (const { keyring } of asked) {
    const listed = keyring.recipients.get(cluster);
    if (listed === undefined) continue;
    if (identity !== undefined && !identity.equals(listed.identity)) return undefined;
    if (listed.type !== 'cluster' || foreignKey(listed, held, pins) !== undefined) return undefined;
    // A key that is lost is not mended by another, which would open nothing.
    if (!held.has(activeKey(listed)?.kid ?? '') && !holdsOneOf(listed, held)) return undefined;
    own = own === undefined ? listed : uniteKeys(own, listed);
    if (own === undefined) return undefined;
  }
  return own;
}

/** Where none is active. */
function holdsOneOf(listed: Recipient, held: ReadonlySet<string>): boolean {
  return activeKey(listed) === undefined && listed.keys.some(({ kid }) => held.has(kid));
}

/**
 * Throws ROTATE_KEYRING_BACK where the keyring has a key as it was before it was retired: that may be a reverted commit or somebody
 * who stole the former key, and sealing to it again is what the second one wants.
 */
export function refuseGoneBack(own: Recipient, retired: ReadonlySet<string>): void {
  const back = own.keys.find(({ kid, status }) => status === 'active' && retired.has(kid));
  if (back === undefined) return;
  throw new CofferError(
    'ROTATE_KEYRING_BACK',
    `The keyring lists the key ${back.kid} of ${own.name} as active, which it had retired.`,
    {
      advice: `Find the commit that put it back and who signed it; restore the file from git, or ask for a new key (\`coffer recipients rotate ${own.name}\`).`,
      data: { recipient: own.name, keyId: back.kid, file: own.file },
    },
  );
}
