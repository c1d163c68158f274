import { randomBytes } from 'node:crypto';
import { Bug } from '../../../../core/errors.ts';
import type { Manifest } from '../../../../core/format/manifest/manifest.ts';
import type { Pins } from '../../../../core/keys/pins.ts';
import { sealingKeys } from '../../../../core/keys/sealing-keys.ts';
import { type RotatedValues, rotateEntries } from '../../../../core/values/rotate-entry.ts';
import type { Rotators } from '../../rotators/configured.ts';
import { type EntryValues, type Rotator, wipeValues } from '../../rotators/rotator.ts';
import type { Wanted } from '../due/due-entries.ts';
import type { FirstSeen } from '../due/first-seen.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { Placed, RotatingManifests } from '../rotating-manifests.ts';
import type { Openings } from './openings.ts';

export interface MakingOptions {
  openings: Openings;
  rotators: Rotators;
  seen: Pick<FirstSeen, 'isRotated'>;
  now: () => Date;
}

/** Makes new values, sealed to all recipients of their manifest, whose identities this operator's own pins confirm. */
export class Making {
  readonly #options: MakingOptions;

  constructor(options: MakingOptions) {
    this.#options = options;
  }

  /**
   * A rotation that is not remembered yet, and that nobody knows of.
   *
   * @throws CofferError ROTATOR_*, ROTATE_*, RECIPIENT_*, AUDIT_*, and what opening a manifest throws
   */
  async begin(
    placed: Placed,
    { entries, rotator, isExposed }: Wanted,
    site: RotatingManifests,
    pins: Pins,
  ): Promise<Rotation> {
    const { manifest, file } = placed;
    const chosen = rotator === undefined ? undefined : this.#options.rotators.of(rotator, manifest);
    const made = await this.#seal(placed, entries, site, pins, (current, all) => chosen?.next(current, all), chosen);
    return {
      id: randomBytes(8).toString('hex'),
      ...{ source: site.source.id, namespace: manifest.namespace, name: manifest.name, entries: [...entries] },
      ...(rotator === undefined ? {} : { rotator }),
      ...{ isExposed, step: 'made', file: { path: file.file, text: file.text }, waited: 0 },
      ...sealedFields(made),
    };
  }

  /** The same values, sealed to those who are recipients now. `next`: in plaintext. */
  async reseal(
    rotation: Rotation,
    placed: Placed,
    next: EntryValues,
    site: RotatingManifests,
    pins: Pins,
  ): Promise<Rotation> {
    const chosen = this.#options.rotators.of(rotation.rotator ?? '', placed.manifest);
    const copy = () => new Map(Array.from(next, ([entry, value]) => [entry, Buffer.from(value)]));
    const made = await this.#seal(placed, rotation.entries, site, pins, copy, chosen);
    return { ...rotation, file: { path: placed.file.file, text: placed.file.text }, ...sealedFields(made) };
  }

  async #seal(
    { manifest, file, index }: Placed,
    entries: readonly string[],
    site: RotatingManifests,
    pins: Pins,
    valuesOf: (current: EntryValues, all: readonly string[]) => EntryValues | undefined,
    rotator: Rotator | undefined,
  ): Promise<RotatedValues> {
    const { openings, seen, now } = this.#options;
    const keys = sealingKeys(site.keyring, pins, manifest.recipients);
    const [entry] = entries;
    if (entry === undefined) throw new Bug('a rotation of nothing');
    const all = rotator === undefined ? entries : rotator.entriesOf(entry);
    const kept = entries.filter((one) => manifest.rotation.get(one)?.keepPrevious !== undefined);
    const opened = rotator === undefined ? kept : all;
    const opening = {
      manifest,
      entries: opened,
      keyring: site.keyring,
      source: site.source.id,
      commit: site.state?.commit ?? '',
    };
    const seal = (current: EntryValues) =>
      openings.during(opening, async (opener) => {
        const values = valuesOf(current, all);
        try {
          return await rotateEntries(file, index, entries, {
            keys,
            opener,
            now: now(),
            isRotated: (previous) => seen.isRotated(site.source.id, manifest, previous),
            ...(values === undefined ? {} : { values }),
          });
        } finally {
          if (values !== undefined) wipeValues(values);
        }
      });
    return rotator === undefined ? seal(new Map()) : openings.open(opening, seal);
  }
}

/** Whether a rotation's values are sealed to the recipients that its manifest has now, and to the keys that count now. Throws RECIPIENT_*. */
export function isSealedToAll({ stanzas }: Rotation, manifest: Manifest, site: RotatingManifests, pins: Pins): boolean {
  const keys = sealingKeys(site.keyring, pins, manifest.recipients);
  return Object.values(stanzas).every(
    (row) =>
      Object.keys(row).length === keys.length &&
      keys.every(({ recipient, kid }) => row[recipient]?.startsWith(`${kid}:`) === true),
  );
}

function sealedFields({ values, stanzas }: RotatedValues): Pick<Rotation, 'values' | 'stanzas'> {
  const rows = Array.from(stanzas, ([id, row]): [string, Record<string, string>] => [id, Object.fromEntries(row)]);
  return { values: [...values], stanzas: Object.fromEntries(rows) };
}
