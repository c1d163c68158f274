import { Bug } from '../errors.ts';
import type { Repository } from '../git/repository.ts';

/** What a judged range adds; opaque to callers, who give it back to `persist` when the head is accepted. */
export interface Learnt {
  readonly records: readonly Buffer[];
}

/** Which sealed texts were first seen under which data key, and to which key ids that was sealed. */
export class SealedBefore {
  /** Reads the append-only file, or begins with none. A torn end (a crash) is cut off. */
  static async open(_file: string): Promise<SealedBefore> {
    throw new Bug('not written yet');
  }

  /** Without a file: for a check that remembers nothing. */
  static inMemory(): SealedBefore {
    throw new Bug('not written yet');
  }

  /** Whether nothing was ever learnt: call `learnTree` for what is accepted first. */
  get isEmpty(): boolean {
    throw new Bug('not written yet');
  }

  /** All that a tree holds, by a scan of its files: for the first accepted commit. */
  async learnTree(_repository: Repository, _tree: string, _path: string): Promise<Learnt> {
    throw new Bug('not written yet');
  }

  /** Appends to the file (fsync) and then to what is known. Twice is as good as once. */
  async persist(_learnt: Learnt): Promise<void> {
    throw new Bug('not written yet');
  }
}
