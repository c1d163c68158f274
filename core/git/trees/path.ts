/** What a name in a tree may be: git itself refuses these in a checkout, but a server may store any bytes. */

// As in git's verify_path: the names by which HFS+ and NTFS reach `.git` count too.
// On NTFS a colon ends the name; on HFS+ git lets bytes that are no UTF-8 end it.
const GIT_FOLDER = /^(?:(?:\.git|git~1)[ .]*(?::|$)|\.git\ufffd)/i;
/** Code points that HFS+ passes over. */
export const IGNORABLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for
const FORBIDDEN = /[/\\\u0000-\u001f\u007f\ufffd]/;

/** Whether a tree entry's name (decoded; U+FFFD where it was not UTF-8) can stand in a path that we show and compare. */
export function isLegalName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  if (FORBIDDEN.test(name)) return false;
  return !reachesGitFolder(name);
}

/** Whether some file system takes the name for `.git` (git's is_hfs_dotgit and is_ntfs_dotgit). */
export function reachesGitFolder(name: string): boolean {
  return name.split('\\').some((part) => GIT_FOLDER.test(part.replace(IGNORABLE, '')));
}

/** The parts of a path from the root of a repository; `''` and `'.'` are the root. `undefined`: it leaves the root. */
export function pathParts(path: string): string[] | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.every(isLegalName) ? parts : undefined;
}

/** A refused name as people see it: escaped, so that it cannot play tricks with a terminal or a log. */
export function printableName(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}
