import { Bug } from '../errors.ts';
import type { Manifest } from './manifest.ts';

/** The names (of data and of templates) that a workload of the manifest's namespace gets; empty if it is no reader. */
export function entriesFor(_manifest: Manifest, _workload: string): ReadonlySet<string> {
  throw new Bug('not written yet');
}
