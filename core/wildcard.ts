/**
 * Whether a pattern with `*` (any number of characters, none too) and `?` (one) matches a whole text. Goes back to the last
 * `*` only, which is enough, so that no pattern takes longer than its length times the text's.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let inText = 0;
  /** Behind the last `*`, and what it may swallow up to. */
  let star: { at: number; inText: number } | undefined;
  while (inText < text.length) {
    if (pattern[at] === '*') {
      at++;
      star = { at, inText };
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[inText])) {
      at++;
      inText++;
    } else if (star !== undefined) {
      star.inText++;
      at = star.at;
      inText = star.inText;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
