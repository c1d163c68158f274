import { type Finding, finding } from '../finding.ts';
import { lineAt } from '../line.ts';

/** What a secret key's text begins with, and the least that follows: a mention of the prefix is no key. */
const KEYS = [
  { prefix: 'COFFER-SECRET-1-', rest: /^[A-Za-z0-9_-]{40}/, what: 'a coffer secret key' },
  { prefix: 'COFFER-IDENTITY-1-', rest: /^[A-Za-z0-9_-]{40}/, what: "a coffer identity's secret key" },
  { prefix: 'AGE-SECRET-KEY-', rest: /^(?:PQ-)?1[A-Z0-9]{50}/, what: 'an age secret key' },
];

/** Secret keys in any file, whatever it is. */
export function secretKeyFindings(bytes: Buffer, file: string): Finding[] {
  return KEYS.flatMap(({ prefix, rest, what }) => {
    const found: Finding[] = [];
    for (let at = bytes.indexOf(prefix); at !== -1; at = bytes.indexOf(prefix, at + 1)) {
      const start = at + prefix.length;
      if (!rest.test(bytes.toString('latin1', start, start + 64))) continue;
      found.push(
        finding(
          'CHECK_SECRET_KEY',
          { file, line: lineAt(bytes, at) },
          {
            message: `${what} is in this file`,
            advice: 'Keep it out of the repository. If it was ever committed, replace the key and all that it opens.',
          },
        ),
      );
    }
    return found;
  });
}
