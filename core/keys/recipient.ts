import { Bug } from '../errors.ts';

export type RecipientType = 'cluster' | 'group' | 'person' | 'recovery';
export type KeyStatus = 'active' | 'retired' | 'revoked';

export interface RecipientKey {
  kid: string;
  status: KeyStatus;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
  publicKey: Buffer;
  endorsement: string;
  /** Of a group's key: its seed, sealed to each member. */
  seeds: ReadonlyMap<string, { kid: string; text: string }>;
}

export interface Recipient {
  name: string;
  type: RecipientType;
  /** Ed25519 public key, 32 bytes. */
  identity: Buffer;
  /** Newest first. */
  keys: readonly RecipientKey[];
  /** Of a group; else empty. */
  members: readonly string[];
  rotationEvery?: string;
  file: string;
}

export function readRecipient(_bytes: Uint8Array, _file: string): Recipient {
  throw new Bug('not written yet');
}

export function activeKey(_recipient: Recipient): RecipientKey | undefined {
  throw new Bug('not written yet');
}

export function renderRecipient(_recipient: Recipient): string {
  throw new Bug('not written yet');
}
