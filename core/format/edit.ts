import { Bug } from '../errors.ts';

/** Replaces what stands between two UTF-16 offsets. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Applies edits that do not overlap, in any order. */
export function applyEdits(_text: string, _edits: readonly Edit[]): string {
  throw new Bug('not written yet');
}
