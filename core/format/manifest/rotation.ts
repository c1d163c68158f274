/** What a manifest says of an entry whose value is made anew: docs/format.md, "Rotation". */
import type { EncryptedSecret } from '../../../schemas/encrypted-secret.ts';
import { milliseconds } from '../../duration.ts';

type Row = NonNullable<EncryptedSecret['spec']['rotation']>[string];

export type Generate = NonNullable<Row['generate']>;

/** Durations in milliseconds. At most one of `generate` and `rotator` is there; with neither, the value is changed by hand, if at all. */
export interface EntryRotation {
  every?: number;
  generate?: Generate;
  rotator?: string;
  keepPrevious?: number;
  /** The value is no secret: that it was read exposes nothing. */
  isPublic?: true;
}

/** The former value of an entry, kept by rotation; it has no readers of its own. */
const PREVIOUS = '.previous';

export function previousOf(entry: string): string {
  return `${entry}${PREVIOUS}`;
}

/** The entry whose former value this is; undefined for any other name. */
export function entryOfPrevious(name: string): string | undefined {
  return name.endsWith(PREVIOUS) ? name.slice(0, -PREVIOUS.length) : undefined;
}

export function rotationsOf(rows: EncryptedSecret['spec']['rotation']): Map<string, EntryRotation> {
  return new Map(
    Object.entries(rows ?? {}).map(
      ([entry, { every, generate, rotator, keepPrevious, secret }]): [string, EntryRotation] => [
        entry,
        {
          ...(every === undefined ? {} : { every: milliseconds(every) }),
          ...(generate === undefined ? {} : { generate }),
          ...(rotator === undefined ? {} : { rotator }),
          ...(keepPrevious === undefined ? {} : { keepPrevious: milliseconds(keepPrevious) }),
          ...(secret === false ? { isPublic: true } : {}),
        },
      ],
    ),
  );
}

/** Whether it is coffer that changes the value. */
export function isMade({ generate, rotator }: EntryRotation): boolean {
  return generate !== undefined || rotator !== undefined;
}

/** The entry, and those that are made together with it. */
export function entriesOfRotation(
  { rotation }: { rotation: ReadonlyMap<string, EntryRotation> },
  entry: string,
): string[] {
  const publicEntry = rotation.get(entry)?.generate?.public;
  return publicEntry === undefined ? [entry] : [entry, publicEntry];
}

/** Whether rotation may change this entry, or ENTRY.previous. A rotator may set other entries together with its own. */
export function mayRotate(manifest: { rotation: ReadonlyMap<string, EntryRotation> }, name: string): boolean {
  const base = entryOfPrevious(name) ?? name;
  return [...manifest.rotation].some(
    ([entry, { rotator }]) => rotator !== undefined || entriesOfRotation(manifest, entry).includes(base),
  );
}
