/** The shortest edit between two lists of lines (Myers, "An O(ND) difference algorithm", 1986). */

/** Lines [start, end) of the one list became lines [otherStart, otherEnd) of the other; one of the two may be empty. */
export interface Hunk {
  start: number;
  end: number;
  otherStart: number;
  otherEnd: number;
}

/** Beyond this many edits, everything between what begins and ends alike counts as one hunk. */
const MAX_EDITS = 2000;

export function diffLines(from: readonly string[], to: readonly string[]): Hunk[] {
  let head = 0;
  while (head < from.length && head < to.length && from[head] === to[head]) head++;
  let tail = 0;
  const room = Math.min(from.length, to.length) - head;
  while (tail < room && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++;
  const [fromEnd, toEnd] = [from.length - tail, to.length - tail];
  if (head === fromEnd && head === toEnd) return [];
  const kept = keptLines(from.slice(head, fromEnd), to.slice(head, toEnd));
  const hunks: Hunk[] = [];
  let [at, otherAt] = [head, head];
  for (const [line, otherLine] of [...kept.map(([a, b]) => [a + head, b + head] as const), [fromEnd, toEnd] as const]) {
    if (line > at || otherLine > otherAt)
      hunks.push({ start: at, end: line, otherStart: otherAt, otherEnd: otherLine });
    [at, otherAt] = [line + 1, otherLine + 1];
  }
  return hunks;
}

/** Pairs of positions of equal lines, in order. */
function keptLines(from: readonly string[], to: readonly string[]): [number, number][] {
  const trace: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(from.length + to.length, MAX_EDITS); edits++) {
    trace.push(furthest);
    const next = new Map(furthest);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = step(furthest, diagonal, edits);
      while (x < from.length && x - diagonal < to.length && from[x] === to[x - diagonal]) x++;
      next.set(diagonal, x);
      if (x >= from.length && x - diagonal >= to.length) return backtrack(trace, from.length, to.length);
    }
    furthest = next;
  }
  return [];
}

/** How far one gets on a diagonal with one edit more: down from the diagonal above, or right from the one below. */
function step(furthest: ReadonlyMap<number, number>, diagonal: number, edits: number): number {
  const below = furthest.get(diagonal - 1) ?? -1;
  const above = furthest.get(diagonal + 1) ?? -1;
  return diagonal === -edits || (diagonal !== edits && below < above) ? above : below + 1;
}

function backtrack(
  trace: readonly ReadonlyMap<number, number>[],
  fromLength: number,
  toLength: number,
): [number, number][] {
  const kept: [number, number][] = [];
  let [x, y] = [fromLength, toLength];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = trace[edits] ?? new Map<number, number>();
    const diagonal = x - y;
    const start = step(furthest, diagonal, edits);
    while (x > start && x > 0 && y > 0) kept.push([--x, --y]);
    const below = furthest.get(diagonal - 1) ?? -1;
    const above = furthest.get(diagonal + 1) ?? -1;
    const cameDown = diagonal === -edits || (diagonal !== edits && below < above);
    if (edits > 0) [x, y] = cameDown ? [x, y - 1] : [x - 1, y];
  }
  return kept.reverse();
}
