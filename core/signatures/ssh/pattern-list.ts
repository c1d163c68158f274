import { matchesWildcard } from '../../wildcard.ts';

/**
 * PATTERNS of ssh_config(5): comma-separated, `*` and `?`, and `!` in front of what must not match. True where something
 * matches and nothing that is negated does.
 */
export function matchesPatternList(text: string, list: string): boolean {
  let isMatched = false;
  for (const pattern of list.split(',')) {
    const isNegated = pattern.startsWith('!');
    if (!matchesWildcard(isNegated ? pattern.slice(1) : pattern, text)) continue;
    if (isNegated) return false;
    isMatched = true;
  }
  return isMatched;
}
