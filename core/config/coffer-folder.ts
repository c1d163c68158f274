import { IGNORABLE } from '../git/trees/path.ts';

// Where file systems fold names, these reach `.coffer` too, as git's verify_path knows of `.git`: HFS+ passes over some code
// points, NTFS over dots and spaces at the end, and has short names.
const FOLDER = /^(?:\.coffer|coffer~[0-9])[ .]*$/;

/** Whether a name in a folder is `.coffer`, or could be taken for it in somebody's checkout. */
export function isCofferFolder(name: string): boolean {
  return FOLDER.test(name.replace(IGNORABLE, '').normalize('NFKC').toLowerCase());
}

/** Whether a path has such a name anywhere. What it holds is judged as rules (core/trust/aspects), so that it must not count as manifests. */
export function isInCofferFolder(path: string): boolean {
  return path.split('/').some(isCofferFolder);
}
