import { entriesOfRotation, entryOfPrevious, isMade } from '../../../../core/format/manifest/rotation.ts';
import type { Rotators } from '../../rotators/configured.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { RotatingManifest } from '../rotating-manifests.ts';

/**
 * Whether the manifest, as it is accepted now, still lets this rotation set all that it would set, and take away nothing but former
 * values. Throws ROTATOR_UNKNOWN, ROTATOR_NOT_ALLOWED.
 */
export function isExplained(
  { entries, rotator, values }: Pick<Rotation, 'entries' | 'rotator' | 'values'>,
  row: Pick<RotatingManifest, 'namespace' | 'name' | 'rotation'>,
  rotators: Pick<Rotators, 'of'>,
): boolean {
  const explained = entries.flatMap((entry) => {
    const rule = row.rotation.get(entry);
    if (rule === undefined || !isMade(rule) || rule.rotator !== rotator) return [];
    return rotator === undefined ? entriesOfRotation(row, entry) : rotators.of(rotator, row).entriesOf(entry);
  });
  return values.every(({ namespace, name, entry, text }) => {
    const base = entryOfPrevious(entry);
    const isOfRow = namespace === row.namespace && name === row.name;
    return isOfRow && explained.includes(base ?? entry) && (text !== undefined || base !== undefined);
  });
}
