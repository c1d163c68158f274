import { type Claim, isSamePlace, type Place } from './claim.ts';

/** Whose a (namespace, name) is: docs/format.md, "One owner". */
export type Verdict =
  /** One claim has it; the others, if there are any, are refused. */
  | { kind: 'owned'; by: Claim; refused: readonly Claim[] }
  /** Nobody has it, for several want it and none had it before. */
  | { kind: 'contested'; refused: readonly Claim[] }
  /** Its owner's file is there but cannot be read: it stays as it is. */
  | { kind: 'unreadable'; refused: readonly Claim[] }
  /** No manifest claims it. */
  | { kind: 'gone' };

/**
 * @param remembered whose it was, if it was anybody's
 * @param claims all that the accepted states make to it, in any order
 * @param isUnreadable whether the file at a place is there although not all of its manifests are known
 */
export function judge(
  remembered: Place | undefined,
  claims: readonly Claim[],
  isUnreadable: (place: Place) => boolean,
): Verdict {
  const others = (by: Claim): Claim[] => claims.filter((claim) => claim !== by);
  if (remembered !== undefined) {
    const inFile = claims.filter(({ source, path }) => source === remembered.source && path === remembered.path);
    // Documents may change places within their file.
    const same =
      inFile.find((claim) => isSamePlace(claim, remembered)) ?? (inFile.length === 1 ? inFile[0] : undefined);
    if (same !== undefined) return { kind: 'owned', by: same, refused: others(same) };
    if (isUnreadable(remembered)) return { kind: 'unreadable', refused: claims };
  }
  const [first, second] = claims;
  if (first === undefined) return { kind: 'gone' };
  if (second === undefined) return { kind: 'owned', by: first, refused: [] };
  return { kind: 'contested', refused: claims };
}
