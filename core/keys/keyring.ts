import { Bug, type CofferError } from '../errors.ts';
import type { Recipient } from './recipient.ts';

export interface Keyring {
  recipients: ReadonlyMap<string, Recipient>;
  problems: CofferError[];
}

export function keyringFrom(_files: Iterable<{ path: string; bytes: Uint8Array }>): Keyring {
  throw new Bug('not written yet');
}

export async function readKeyring(_root: string): Promise<Keyring> {
  throw new Bug('not written yet');
}

/** The recipient whose file lists this key. */
export function recipientOfKey(_keyring: Keyring, _kid: string): Recipient | undefined {
  throw new Bug('not written yet');
}
