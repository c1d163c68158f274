/** What of a map of subjects is new, gone or different. Reviewers read it; `detail` says what was and is, in words. */
export interface Difference {
  subject: string;
  change: 'added' | 'removed' | 'changed';
  detail?: { before?: string; after?: string };
}

/** Subjects in the order of `before`, then the new ones. Without details. */
export function differences<Value>(
  before: ReadonlyMap<string, Value> = new Map(),
  after: ReadonlyMap<string, Value> = new Map(),
  isSame: (before: Value, after: Value) => boolean = Object.is,
): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((subject): Difference[] => {
    const [old, now] = [before.get(subject), after.get(subject)];
    if (old === undefined) return [{ subject, change: 'added' }];
    if (now === undefined) return [{ subject, change: 'removed' }];
    return isSame(old, now) ? [] : [{ subject, change: 'changed' }];
  });
}

/** The same of texts, which are the details. */
export function detailedDifferences(
  before: ReadonlyMap<string, string> = new Map(),
  after: ReadonlyMap<string, string> = new Map(),
  shown: (text: string) => string = (text) => text,
): Difference[] {
  return differences(before, after).map((difference) => {
    const [old, now] = [before.get(difference.subject), after.get(difference.subject)];
    const detail = {
      ...(old === undefined ? {} : { before: shown(old) }),
      ...(now === undefined ? {} : { after: shown(now) }),
    };
    return { ...difference, detail };
  });
}
