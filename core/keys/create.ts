import { Bug } from '../errors.ts';
import type { Random } from '../format/random.ts';
import type { SealingKey } from '../format/stanza.ts';
import type { Recipient } from './recipient.ts';

export function createRecipient(_wanted: {
  name: string;
  type: 'cluster' | 'person' | 'recovery';
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
  random?: Random;
}): { recipient: Recipient; seed: Buffer; identitySeed: Buffer } {
  throw new Bug('not written yet');
}

/** `members`: the active keys of the members, from `sealingKeys`. `identitySeed`: the creator's. */
export function createGroup(_wanted: {
  name: string;
  created: string;
  members: readonly SealingKey[];
  identitySeed: Uint8Array;
  random?: Random;
}): { recipient: Recipient; seed: Buffer } {
  throw new Bug('not written yet');
}
