/**
 * PATTERNS of ssh_config(5): comma-separated, `*` and `?`, and `!` in front of what must not match. True where something
 * matches and nothing that is negated does.
 */
export function matchesPatternList(text: string, list: string): boolean {
  let isMatched = false;
  for (const pattern of list.split(',')) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern(text, isNegated ? pattern.slice(1) : pattern)) continue;
    if (isNegated) return false;
    isMatched = true;
  }
  return isMatched;
}

/** Goes back to the last `*` only, which is enough (and at most quadratic), since `*` takes anything. */
function matchesPattern(text: string, pattern: string): boolean {
  let [at, expected] = [0, 0];
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const sign = pattern[expected];
    if (sign === '*') {
      star = expected;
      starAt = at;
      expected += 1;
    } else if (sign !== undefined && (sign === '?' || sign === text[at])) {
      at += 1;
      expected += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      expected = star + 1;
    } else return false;
  }
  while (pattern[expected] === '*') expected += 1;
  return expected === pattern.length;
}
