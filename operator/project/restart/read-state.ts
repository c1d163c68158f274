/**
 * What the pods of a workload read at their last roll, or when the workload was seen first: each `SECRET` or `SECRET/ENTRY`
 * with a digest. It stands in an annotation of the workload itself, which rolls nothing, beside the digest on the pod template,
 * which does: so a template that a GitOps tool sets back is no reason to roll again, and a roll that a killed operator owed is found.
 *
 * `KEYID READ=DIGEST READ=DIGEST…`, sorted. Digests under another key are not compared.
 */
export type ReadState = ReadonlyMap<string, string>;

/** In the place of a digest: an optional reference to what is not there. */
const ABSENT = '-';

export function parseReadState(text: string | undefined, keyId: string): ReadState {
  const [writtenUnder, ...rows] = (text ?? '').split(' ');
  if (writtenUnder !== keyId) return new Map();
  return new Map(
    rows.map((row): [string, string] => {
      const at = row.lastIndexOf('=');
      return [row.slice(0, at), row.slice(at + 1)];
    }),
  );
}

export function readStateText(state: ReadState, keyId: string): string {
  const rows = Array.from(state, ([read, digest]) => `${read}=${digest}`).sort();
  return [keyId, ...rows].join(' ');
}

export interface Read {
  /** `SECRET` or `SECRET/ENTRY`. */
  what: string;
  isOptional: boolean;
}

/**
 * The state with what is read now, for each read its former digest where it had one: a read that the template did not have
 * before comes with a roll of its own.
 */
export function baseline(
  before: ReadState,
  reads: readonly Read[],
  digestOf: (read: string) => string | undefined,
): ReadState {
  const state = new Map<string, string>();
  for (const { what, isOptional } of reads) {
    const digest = before.get(what) ?? digestOf(what) ?? (isOptional ? ABSENT : undefined);
    if (digest !== undefined) state.set(what, digest);
  }
  return state;
}

/**
 * The state after a roll, or undefined where nothing that is read has changed. What went is no change: its pods could not
 * start again, and it may come back as it was.
 */
export function changed(state: ReadState, digestOf: (read: string) => string | undefined): ReadState | undefined {
  const after = new Map(Array.from(state, ([read, digest]) => [read, digestOf(read) ?? digest]));
  return [...after].some(([read, digest]) => state.get(read) !== digest) ? after : undefined;
}
