import { Bug, type CofferError } from '../errors.ts';

export interface SecretKey {
  kid: string;
  seed: Buffer;
}

export interface SecretKeys {
  keys: ReadonlyMap<string, SecretKey>;
  problems: CofferError[];
  /** Zeroes every seed; the keys are of no use afterwards. */
  wipe(): void;
}

export async function readKeyDirectory(_directory: string): Promise<SecretKeys> {
  throw new Bug('not written yet');
}

/** Returns the path of the new file. */
export async function storeSecretKey(_directory: string, _seed: Uint8Array): Promise<string> {
  throw new Bug('not written yet');
}

export async function storeIdentity(_directory: string, _name: string, _identitySeed: Uint8Array): Promise<string> {
  throw new Bug('not written yet');
}

export async function readIdentity(_directory: string, _name: string): Promise<Buffer> {
  throw new Bug('not written yet');
}
