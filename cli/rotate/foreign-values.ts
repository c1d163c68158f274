import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { entriesOfRotation, entryOfPrevious, isMade, previousOf } from '../../core/format/manifest/rotation.ts';
import type { ProposedValue } from '../../core/rotation/proposal.ts';

type Rotating = Pick<Manifest, 'rotation'>;

/**
 * Those of the values proposed for one manifest that no rotation of it explains. Explained is a new value of an entry that is made
 * (`generate`, with `public`; `rotator`), of one that a rotator sets beside its own (it is in `spec.rotation` too, or its former value
 * is kept), and ENTRY.previous of these; of what goes, ENTRY.previous alone.
 */
export function foreignValues<Value extends Pick<ProposedValue, 'entry' | 'text'>>(
  manifest: Rotating,
  values: readonly Value[],
): Value[] {
  const set = new Set(values.flatMap(({ entry, text }) => (text === undefined ? [] : [entry])));
  return values.filter(({ entry, text }) => {
    const base = entryOfPrevious(entry);
    if (text === undefined) return base === undefined;
    const own = base ?? entry;
    return !isMadeIn(manifest, own) && !isCompanion(manifest, own, set);
  });
}

function isMadeIn(manifest: Rotating, entry: string): boolean {
  return [...manifest.rotation].some(
    ([name, rule]) => isMade(rule) && entriesOfRotation(manifest, name).includes(entry),
  );
}

/** `set`: all entries that get a new value. */
function isCompanion({ rotation }: Rotating, entry: string, set: ReadonlySet<string>): boolean {
  const isRotated = [...rotation].some(([name, { rotator }]) => rotator !== undefined && set.has(name));
  return isRotated && set.has(entry) && (rotation.has(entry) || set.has(previousOf(entry)));
}
