import { type CofferError, orNothing } from '../../../core/errors.ts';
import type { ProposedValue } from '../../../core/rotation/proposal.ts';
import { Turns } from '../../../core/turns.ts';
import { formerUnproven } from '../../../core/values/refusals.ts';
import { retirePrevious } from '../../../core/values/rotate-entry.ts';
import { keyOf } from '../../project/namespaced-name.ts';
import type { Rotators } from '../rotators/configured.ts';
import type { Parcel } from './delivery.ts';
import type { FirstSeen } from './due/first-seen.ts';
import type { Rotation } from './remembered/rotation.ts';
import type { RotatingManifest, RotatingManifests } from './rotating-manifests.ts';
import { isExplained } from './steps/explained.ts';

/** What rotations and overlaps that are over want changed in the repository of a source, as it is accepted now. */
export class ProposedChanges {
  readonly #rotators: Rotators;
  readonly #proven: ReadonlySet<string>;

  /** `proven`: as in AdvanceOptions. */
  constructor(rotators: Rotators, proven: ReadonlySet<string>) {
    this.#rotators = rotators;
    this.#proven = proven;
  }

  /**
   * `formerOf`: the entries of a manifest whose former value has been there long enough; none where no rotation is ours to make. Returns
   * beside the changes what nobody knows to be a former value. Throws the signal's reason.
   */
  async of(
    site: RotatingManifests,
    rotations: readonly Rotation[],
    { formerOf, seen }: { formerOf: (row: RotatingManifest) => readonly string[]; seen: Pick<FirstSeen, 'isRotated'> },
    signal: AbortSignal,
  ): Promise<{ parcel: Parcel; unproven: CofferError[] }> {
    const turns = new Turns(signal);
    const values: ProposedValue[] = [];
    const unproven: CofferError[] = [];
    const stanzas = new Map<string, ReadonlyMap<string, string>>();
    const operations = new Map<string, string>();
    const takeAway = async (row: RotatingManifest, entries: readonly string[]) => {
      for (const value of await this.#without(site, row, entries)) {
        if (seen.isRotated(site.source.id, row, value.entry)) values.push(value);
        else unproven.push(formerUnproven({ ...row, file: row.path }, value.entry).at({ source: site.source.id }));
      }
    };
    for (const rotation of rotations) {
      await turns.next();
      const [row] = site.named(rotation.namespace, rotation.name);
      if (row === undefined) continue;
      operations.set(keyOf(row.namespace, row.name), rotation.id);
      if (this.#isReady(rotation) && this.#isExplained(rotation, row)) {
        // The file may have been moved since.
        values.push(...rotation.values.map((value) => ({ ...value, path: row.path })));
        for (const [id, texts] of Object.entries(rotation.stanzas)) stanzas.set(id, new Map(Object.entries(texts)));
      }
      if (rotation.step === 'retired') await takeAway(row, this.#rotated(row) ?? []);
    }
    for (const row of site.all()) {
      await turns.next();
      const former = formerOf(row);
      if (former.length === 0 || operations.has(keyOf(row.namespace, row.name))) continue;
      // What a rotator set is retired before it goes.
      const rotated = this.#rotated(row);
      if (rotated === undefined) continue;
      await takeAway(
        row,
        former.filter((entry) => !rotated.includes(entry)),
      );
    }
    return {
      parcel: { source: site.source.id, commit: site.state?.commit ?? '', values, stanzas, operations },
      unproven,
    };
  }

  #isReady({ id, step, rotator }: Rotation): boolean {
    return rotator === undefined ? step === 'made' : step === 'verified' && this.#proven.has(id);
  }

  async #without(site: RotatingManifests, row: RotatingManifest, entries: readonly string[]): Promise<ProposedValue[]> {
    const placed = entries.length === 0 ? undefined : await site.read(row);
    return placed === undefined ? [] : retirePrevious(placed.manifest, entries);
  }

  #isExplained(rotation: Rotation, row: RotatingManifest): boolean {
    return orNothing(() => isExplained(rotation, row, this.#rotators)) ?? false;
  }

  /** Entries that rotators set; undefined: nobody knows, for one of them is not this operator's. */
  #rotated(row: RotatingManifest): string[] | undefined {
    return orNothing(() =>
      [...row.rotation].flatMap(([entry, { rotator }]) =>
        rotator === undefined ? [] : this.#rotators.of(rotator, row).entriesOf(entry),
      ),
    );
  }
}
