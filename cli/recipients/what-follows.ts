/** More ids than that on a line help nobody. */
const MOST_KEYS = 3;

/** What is left to be done once keys of a recipient are revoked, or one that has them is let go. */
export function untilReplaced(recipient: string, kids: readonly string[] = []): string {
  const isFew = kids.length > 0 && kids.length <= MOST_KEYS;
  const flags = isFew ? kids.map((kid) => `--key ${kid}`).join(' ') : `--recipient ${recipient}`;
  return `All that was ever sealed to these keys is exposed until it is replaced: coffer exposure ${flags}`;
}
