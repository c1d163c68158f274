import { Bug } from '../errors.ts';

/** Unites the stanzas in a file with conflict markers (diff3 style too). A value changed on both sides stays. */
export function resolveConflicts(_text: string): { text: string; unresolved: number } {
  throw new Bug('not written yet');
}

/** For git's merge driver. */
export function mergeThreeWay(_base: string, _ours: string, _theirs: string): { text: string; conflicts: number } {
  throw new Bug('not written yet');
}
