import { timingSafeEqual } from 'node:crypto';
import { Bug } from '../../../../core/errors.ts';
import { placeValues } from '../../../../core/format/edit/place-values.ts';
import { type Manifest, sealedText } from '../../../../core/format/manifest/manifest.ts';
import { entryOfPrevious, previousOf } from '../../../../core/format/manifest/rotation.ts';
import type { Change, EntryValues } from '../../rotators/rotator.ts';
import type { Rotation } from '../remembered/rotation.ts';
import { type Placed, placedIn, type RotatingManifests } from '../rotating-manifests.ts';
import type { Openings } from './openings.ts';
import type { Standing, Standings } from './standings.ts';

/** The values that a rotation is about, sealed and opened. */
export class RotationValues {
  readonly #openings: Openings;
  readonly #standings: Standings;

  constructor(openings: Openings, standings: Standings) {
    this.#openings = openings;
    this.#standings = standings;
  }

  /** Calls `use` with what was and what comes, in plaintext, which is wiped afterwards. Throws what `Openings.open` throws. */
  async withChange<Result>(
    rotation: Rotation,
    entries: readonly string[],
    site: RotatingManifests,
    use: (change: Change) => Promise<Result>,
  ): Promise<Result> {
    const { former, next } = manifestsOf(rotation);
    const wanted = rotation.values.length === 0 ? entries.map(previousOf) : entries;
    return this.#openings.open(openingOf(site, former, wanted), (before) =>
      this.#openings.open(openingOf(site, next, entries), (after) =>
        use({ former: withoutSuffix(before), next: after }),
      ),
    );
  }

  /** By the texts; where those are others, as after `coffer compact`, by what is in them, if `entries` are given to be opened. */
  async standing(
    rotation: Rotation,
    manifest: Manifest,
    site: RotatingManifests,
    entries?: readonly string[],
  ): Promise<Standing> {
    const { former, next } = manifestsOf(rotation);
    const changed = rotation.values.length === 0 ? [...rotation.entries] : ownEntries(rotation);
    if (isSame(manifest, next, changed)) return 'ours';
    if (isSame(manifest, former, changed)) return 'former';
    if (entries === undefined || !entries.every((entry) => manifest.entries.has(entry))) return 'other';
    return this.#standings.of(rotation.id, [manifest, next], entries, () =>
      this.#openings.open(openingOf(site, manifest, entries), (now) =>
        this.#openings.open(openingOf(site, next, entries), async (ours) => (isEqual(now, ours) ? 'ours' : 'other')),
      ),
    );
  }

  /** Of a rotation that is over. */
  forget(rotation: string): void {
    this.#standings.forget(rotation);
  }
}

/** Without those that only keep the former value. */
export function ownEntries({ values }: Rotation): string[] {
  return values.flatMap(({ entry, text }) =>
    text === undefined || entryOfPrevious(entry) !== undefined ? [] : [entry],
  );
}

/** The manifest as it was, and with the values of the rotation. */
function manifestsOf({ file, namespace, name, values, stanzas }: Rotation): { former: Manifest; next: Manifest } {
  const before = placed(Buffer.from(file.text), file.path, { namespace, name });
  if (values.length === 0) return { former: before.manifest, next: before.manifest };
  const texts = new Map(values.map(({ entry, text }) => [entry, text]));
  const rows = new Map(Object.entries(stanzas).map(([id, row]) => [id, new Map(Object.entries(row))]));
  const after = placeValues(before.file, before.index, texts, rows);
  return { former: before.manifest, next: placed(Buffer.from(after), file.path, { namespace, name }).manifest };
}

function placed(bytes: Buffer, path: string, wanted: { namespace: string; name: string }): Placed {
  const found = placedIn(bytes, path, wanted);
  if (found === undefined) throw new Bug('a remembered manifest that is not in its file');
  return found;
}

function openingOf({ source, state, keyring }: RotatingManifests, manifest: Manifest, entries: readonly string[]) {
  return { manifest, entries, keyring, source: source.id, commit: state?.commit ?? '' };
}

function isSame(one: Manifest, other: Manifest, entries: readonly string[]): boolean {
  return entries.every((entry) => sealedText(one, entry) === sealedText(other, entry));
}

function withoutSuffix(values: EntryValues): EntryValues {
  return new Map(Array.from(values, ([entry, value]) => [entryOfPrevious(entry) ?? entry, value]));
}

function isEqual(one: EntryValues, other: EntryValues): boolean {
  return [...one].every(([entry, value]) => {
    const match = other.get(entry);
    return match !== undefined && match.length === value.length && timingSafeEqual(match, value);
  });
}
