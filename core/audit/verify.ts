import { Bug } from '../errors.ts';
import type { LogStore } from './store.ts';

/** One thing that is not as it was signed, and where. */
export interface Finding {
  /** What happened: */
  kind:
    | 'edited'
    | 'deleted'
    | 'reordered'
    | 'truncated'
    | 'forked'
    | 'replaced-key'
    | 'unsigned'
    | 'altered-tile'
    | 'malformed';
  /** Of records, as far as it is known; both ends belong to it. */
  from?: number;
  to?: number;
  /** In plain words, with the place. */
  message: string;
}

export interface Report {
  origin: string;
  /** Records that the checkpoint covers. */
  size: number;
  /** Base64. */
  root: string;
  /** Records after the checkpoint: whole, but not signed yet. */
  unsigned: number;
  /** Records whose text is not there, and a record says so; `to` 0: none. */
  pruned: { from: number; to: number };
  findings: Finding[];
}

export interface VerifyOptions {
  /** The Ed25519 public key that is pinned, 32 bytes. */
  identity: Buffer;
  /** Checkpoints of earlier days: each must be a prefix of the log. */
  checkpoints?: readonly string[];
  /** Called now and then with the number of records that were looked at. */
  onProgress?: (records: number) => void;
}

export async function verifyLog(_store: LogStore, _options: VerifyOptions): Promise<Report> {
  return await Promise.reject(new Bug('not written yet'));
}
