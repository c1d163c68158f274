import type { CofferError } from '../../../core/errors.ts';
import type { SecretKeys } from '../../../core/keys/key-directory.ts';

/** Notices that somebody put a key where the operator's keys are, when something could not be opened for want of one. */
export class NewKeys {
  readonly #secretKeys: () => Promise<SecretKeys>;
  /** Key ids that were there when it was looked last. */
  #ids = '';

  constructor(secretKeys: () => Promise<SecretKeys>) {
    this.#secretKeys = secretKeys;
  }

  async areThere(failures: Iterable<CofferError>): Promise<boolean> {
    if (![...failures].some(({ code }) => code === 'STANZA_UNKNOWN_KEY')) return false;
    const keys = await this.#secretKeys();
    const ids = [...keys.keys.keys()].sort().join(' ');
    keys.wipe();
    const isOther = ids !== this.#ids;
    this.#ids = ids;
    return isOther;
  }
}
