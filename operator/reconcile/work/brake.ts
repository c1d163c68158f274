/**
 * Whether a commit's removals are held until a person confirms them (docs/architecture.md, promise 4). One removal never is:
 * somebody deleted a manifest; that a commit left nothing at all is seen before it is accepted (`SOURCE_EMPTIED`).
 *
 * @param removed how many secrets of a source the commit removes
 * @param owned how many the source had
 * @param maxShare the largest share, from 0 to 1, that goes without a question
 */
export function isHeld(removed: number, owned: number, maxShare: number): boolean {
  return removed > 1 && removed > owned * maxShare;
}
