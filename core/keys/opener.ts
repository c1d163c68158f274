import { Bug } from '../errors.ts';
import type { SecretKey, SecretKeys } from './key-directory.ts';
import type { Keyring } from './keyring.ts';

/** Who opens: the recipients that this process is (groups included), and the secret keys it holds for each. */
export interface Opener {
  recipients: ReadonlySet<string>;
  secretKey(recipient: string, kid: string): SecretKey | undefined;
  /** Zeroes the group seeds that it opened. The secret keys belong to who read them (`SecretKeys.wipe`). */
  wipe(): void;
}

export function openerFor(
  _keyring: Keyring,
  _secretKeys: SecretKeys,
  _options: { as?: string; only?: string } = {},
): Opener {
  throw new Bug('not written yet');
}
