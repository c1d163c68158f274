import type { RepositoryConfig } from '../../../core/config/repository.ts';
import { CofferError } from '../../../core/errors.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import type { ProposedValue } from '../../../core/rotation/proposal.ts';
import { Turns } from '../../../core/turns.ts';
import { concurrently } from '../../concurrency/concurrently.ts';
import { readOperatorPins } from '../../keys/operator-pins.ts';
import { Beginning, type BeginningParts, type DueManifest } from './beginning.ts';
import type { Delivery } from './delivery.ts';
import { type AskedValue, askedValues, spend } from './due/asked-values.ts';
import { dueEntries } from './due/due-entries.ts';
import type { ProposedChanges } from './proposed-changes.ts';
import type { RotatingManifest, RotatingManifests } from './rotating-manifests.ts';
import { type Opened, Underway, type UnderwayParts } from './steps/underway.ts';

export interface RoundParts extends UnderwayParts, BeginningParts {
  cluster: string;
  stateDirectory: string;
  sites: readonly RotatingManifests[];
  proposed: ProposedChanges;
  delivery: Delivery;
  exposed: (namespace: string, name: string, entry: string, text: string) => boolean;
  now: () => Date;
}

/** What a look found. */
export interface RoundResult {
  troubles: CofferError[];
  due: number;
  /** Milliseconds until the next step of something. */
  again: number;
}

/** Rotations at a time: their records are written, and synced, together. */
const LANES = 32;
const NOT_LANDED = ['made', 'verified'];

/**
 * Looks at everything once: what is under way goes on, what is due begins, and what is made is handed to git. Then what needs a rotator
 * waits for its turn with it; once that has ended, all is looked at again.
 */
export class Round {
  readonly #parts: RoundParts;
  readonly #opened: Opened;
  readonly #signal: AbortSignal;
  readonly #turns: Turns;
  /** What `patience` is to know after this look. */
  readonly #tried = new Set<string>();

  constructor(parts: RoundParts, opened: Opened, signal: AbortSignal) {
    this.#parts = parts;
    this.#opened = opened;
    this.#signal = signal;
    this.#turns = new Turns(signal);
  }

  /** Throws CofferError AUDIT_*, FILE_SYSTEM, PINS_*, KUBERNETES_*; the signal's reason. */
  async run(): Promise<RoundResult> {
    const { cluster, stateDirectory, pinsFile, now, patience } = this.#parts;
    const signal = this.#signal;
    const since = patience.now;
    // Read before: where it changes in between, it counts as changed at the next look.
    const pinsText = await readIfThere(pinsFile);
    const pins = await readOperatorPins(pinsFile);
    const beginning = new Beginning(this.#parts, { ...this.#opened, pins }, this.#tried);
    const underway = new Underway(this.#parts, { ...this.#opened, pins, pinsText, signal }, this.#tried);
    const asked = await askedValues(stateDirectory, now());

    const known = await this.#lookAtSites();
    const own = known.filter(({ config }) => config?.rotatingCluster === cluster);
    for (const [site, row] of rowsOf(own)) await beginning.recover(site, row);
    await this.#takeOn(known, underway);
    const manifests = await this.#due(own, asked);
    await concurrently(beginning.chosen(manifests), LANES, async (chosen) => {
      await this.#turns.next();
      const rotation = await beginning.begin(chosen);
      if (rotation !== undefined) await underway.takeOn(rotation, chosen.site);
    });
    const unknown = await this.#spendWords(asked, own);
    const undelivered = await this.#deliver(known, manifests, underway);
    patience.forgetAllBut(this.#tried);
    underway.askRotators();
    return {
      troubles: [...manifests.flatMap(dueByHand), ...unknown, ...patience.troubles, ...undelivered],
      due: manifests.reduce((count, { due }) => count + due.count, 0),
      again: Math.min(underway.again, patience.againAfter(since), ...manifests.map(({ due }) => due.again)),
    };
  }

  /** Returns those whose state is known. */
  async #lookAtSites(): Promise<RotatingManifests[]> {
    const { cluster, memory, seen, patience, sites, now } = this.#parts;
    let isOther = false;
    for (const site of sites) {
      const isNeeded = ({ rotatingCluster }: RepositoryConfig) =>
        rotatingCluster === cluster || memory.rotations.some(({ source }) => source === site.source.id);
      const id = `source ${site.source.id}`;
      this.#tried.add(id);
      const isNew = await patience.try(id, () => site.look(isNeeded, this.#signal));
      isOther ||= isNew === true;
    }
    const known = sites.filter(({ state }) => state !== undefined);
    for (const [site, row] of rowsOf(known)) {
      const committed = new Date((site.state?.time ?? 0) * 1000);
      seen.note(site.source.id, row, { committed, now: now() });
      await this.#turns.next();
    }
    // What a source has that cannot be read now is not gone.
    if (isOther && known.length === sites.length) seen.keepOnly(rowsOf(known));
    await seen.save();
    return known;
  }

  async #takeOn(sites: readonly RotatingManifests[], underway: Underway): Promise<void> {
    const bySource = new Map(sites.map((site) => [site.source.id, site]));
    await concurrently(this.#parts.memory.rotations, LANES, async (rotation) => {
      await this.#turns.next();
      const site = bySource.get(rotation.source);
      if (site !== undefined) await underway.takeOn(rotation, site);
    });
  }

  async #due(sites: readonly RotatingManifests[], asked: readonly AskedValue[]): Promise<DueManifest[]> {
    const { seen, exposed, now } = this.#parts;
    const manifests: DueManifest[] = [];
    for (const [site, row] of rowsOf(sites)) {
      await this.#turns.next();
      manifests.push({ site, row, due: dueEntries(row, { source: site.source.id, seen, now: now(), exposed, asked }) });
    }
    return manifests;
  }

  /** A word is followed once a rotation has begun that has not landed yet: killed before, it still counts. */
  async #spendWords(asked: readonly AskedValue[], sites: readonly RotatingManifests[]): Promise<CofferError[]> {
    const { memory, stateDirectory } = this.#parts;
    const unknown: CofferError[] = [];
    for (const word of asked) {
      const isFollowed = memory.rotations.some(
        ({ namespace, name, entries, step }) =>
          namespace === word.namespace &&
          name === word.name &&
          entries.includes(word.entry) &&
          NOT_LANDED.includes(step),
      );
      if (isFollowed) await spend(stateDirectory, word);
      const rows = sites.flatMap((site) => site.named(word.namespace, word.name));
      if (!rows.some(({ rotation }) => rotation.has(word.entry))) unknown.push(unknownWord(word));
    }
    return unknown;
  }

  async #deliver(
    sites: readonly RotatingManifests[],
    manifests: readonly DueManifest[],
    { isProving }: Underway,
  ): Promise<CofferError[]> {
    const { memory, seen, proposed, delivery } = this.#parts;
    const former = new Map(manifests.map(({ row, due }) => [row, due.former]));
    const rotations = Map.groupBy(memory.rotations, ({ source }) => source);
    const formerOf = (row: RotatingManifest) => former.get(row) ?? [];
    const changes = await Promise.all(
      sites.map((site) => proposed.of(site, rotations.get(site.source.id) ?? [], { formerOf, seen }, this.#signal)),
    );
    const parcels = changes.map(({ parcel }) => parcel);
    const unproven = changes.flatMap((change) => change.unproven);
    // What lies there since an earlier run is not taken back only to be put there again.
    if (isProving && parcels.every(({ values }) => values.length === 0)) return unproven;
    // A source whose state is not known yet, as after a start, needs what it needed: what is published for it stays.
    const isUnknown = ({ namespace, name }: ProposedValue) =>
      sites.every((site) => site.named(namespace, name).length === 0);
    const isAllKnown = sites.length === this.#parts.sites.length;
    return [...unproven, ...(await delivery.deliver(parcels, this.#signal, isAllKnown ? undefined : isUnknown))];
  }
}

function* rowsOf(sites: readonly RotatingManifests[]): Generator<readonly [RotatingManifests, RotatingManifest]> {
  for (const site of sites) for (const row of site.all()) yield [site, row];
}

function unknownWord({ namespace, name, entry }: AskedValue): CofferError {
  return new CofferError(
    'ROTATE_ASKED',
    `Somebody asked for a new ${entry} of ${namespace}/${name}, which this operator does not rotate.`,
    {
      advice: 'Correct the names, or write under spec.rotation how it is made; the word counts for a day.',
      data: { namespace, name, entry },
    },
  );
}

function dueByHand({ site: { source }, row: { namespace, name, path }, due }: DueManifest): CofferError[] {
  return due.byHand.map(
    (entry) =>
      new CofferError('ROTATE_DUE', `${entry} of ${namespace}/${name} is due to be made anew, by hand.`, {
        advice: `Set a new value with \`coffer set ${path} ${entry}\`, or write under spec.rotation how it is generated.`,
        data: { namespace, name, entry, file: path, source: source.id },
      }),
  );
}
