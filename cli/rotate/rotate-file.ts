import { placeValues } from '../../core/format/edit/place-values.ts';
import type { Manifest, ManifestFile } from '../../core/format/manifest/manifest.ts';
import { manifestAt } from '../../core/format/manifest/manifest-nodes.ts';
import { manifestProblems, readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { entryOfPrevious, previousOf } from '../../core/format/manifest/rotation.ts';
import type { Opener } from '../../core/opening/opener.ts';
import type { ProposedValue } from '../../core/rotation/proposal.ts';
import { isLeftByRotation } from '../../core/values/left-by-rotation.ts';
import { type Plan, planOf } from '../../core/values/plan.ts';
import { formerUnproven } from '../../core/values/refusals.ts';
import {
  generateOf,
  keepsFormer,
  type RotatedValues,
  retirePrevious,
  rotateEntries,
} from '../../core/values/rotate-entry.ts';
import { fileVersions } from '../git/file-versions.ts';
import { firstSeen } from '../git/first-seen.ts';
import { sealingKeysFor } from '../workspace/sealing-keys.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { type ExposedTexts, exposedEntries } from './exposed-entries.ts';

export interface RotateWanted {
  /** Absent: all that the manifests say how to make. */
  entry?: string | undefined;
  onlyDue: boolean;
  dropPrevious: boolean;
  /** Looks, and makes nothing. */
  dryRun: boolean;
}

export interface RotateTools {
  workspace: Workspace;
  /** Of the file, from the root. */
  path: string;
  /** Asked where a former value is kept. Undefined: there is no secret key. */
  opener: () => Promise<Opener | undefined>;
  now: Date;
  /** Whether the repository knows how old its values are; without, former values stay. */
  hasHistory: boolean;
  exposed: ExposedTexts;
  warn: (message: string) => void;
}

/** What was done, or with `dryRun` would be. */
export interface RotatedManifest {
  manifest: string;
  /** Entries with a new value. */
  rotated: string[];
  /** ENTRY.previous of them, as long as it stays. */
  kept: string[];
  /** Former values that are gone. */
  removed: string[];
  /** Due, and not coffer's to make: `by` is the rotator, or `hand`. */
  left: { entry: string; by: string }[];
  /** Entry → when it is due, where that is known. */
  due: Record<string, string>;
  /** Of what is due: what a revoked key could open. */
  exposed: string[];
}

/** The file is not written. Throws what `rotateEntries` throws. */
export async function rotateFile(
  file: ManifestFile,
  indexes: readonly number[],
  wanted: RotateWanted,
  tools: RotateTools,
): Promise<{ text: string; manifests: RotatedManifest[] }> {
  const manifests: RotatedManifest[] = [];
  let current = file;
  for (const index of indexes) {
    const manifest = manifestAt(current, index);
    const since = await agesOf(manifest, wanted, tools);
    const exposed = exposedEntries(manifest, tools.exposed);
    const former = await formerOf(manifest, tools);
    const isRotated = (previous: string) => former.has(previous);
    const plan = planOf(manifest, { ...wanted, since, exposed, isRotated, now: tools.now });
    for (const entry of plan.rotate) generateOf(manifest, entry);
    for (const entry of plan.unproven) {
      const { message, advice } = formerUnproven(manifest, previousOf(entry));
      tools.warn(`${message} ${advice}`);
    }
    manifests.push(outcome(manifest, plan, wanted, isRotated));
    if (wanted.dryRun) continue;
    const { values, stanzas } = await made(current, index, plan, wanted, { ...tools, isRotated });
    if (values.length === 0) continue;
    const texts = new Map(values.map(({ entry, text }) => [entry, text]));
    current = readManifestFile(Buffer.from(placeValues(current, index, texts, stanzas)), file.file);
  }
  return { text: current.text, manifests };
}

async function made(
  file: ManifestFile,
  index: number,
  { rotate, retire }: Plan,
  { dropPrevious }: RotateWanted,
  { workspace, opener, now, isRotated }: RotateTools & { isRotated: (previous: string) => boolean },
): Promise<RotatedValues> {
  const manifest = manifestAt(file, index);
  const removed: readonly ProposedValue[] = retirePrevious(manifest, retire, isRotated);
  if (rotate.length === 0) return { values: removed, stanzas: new Map() };
  const keys = await sealingKeysFor(workspace, manifest.recipients);
  const opened = !dropPrevious && keepsFormer(manifest, rotate) ? await opener() : undefined;
  const keepPrevious = !dropPrevious;
  const run = await rotateEntries(file, index, rotate, { keys, now, opener: opened, keepPrevious, isRotated });
  return { values: [...run.values, ...removed], stanzas: run.stanzas };
}

/** Of what is asked about only: it costs a look through the history of the file. */
async function agesOf(
  manifest: Manifest,
  { onlyDue }: RotateWanted,
  { workspace, path, hasHistory }: RotateTools,
): Promise<Map<string, Date>> {
  const texts = new Map<string, string>();
  for (const [name, value] of manifest.entries) {
    const isAsked = entryOfPrevious(name) !== undefined || (onlyDue && manifest.rotation.get(name)?.every);
    if (isAsked && value.kind === 'sealed') texts.set(name, value.text);
  }
  if (texts.size === 0 || !hasHistory) return new Map();
  const seen = await firstSeen(workspace.root, path, [...texts.values()]);
  const ages = new Map<string, Date>();
  for (const [name, text] of texts) {
    const date = seen.get(text);
    if (date !== undefined) ages.set(name, date);
  }
  return ages;
}

/** What a rotation left, as the history of the file says: ENTRY.previous. */
async function formerOf(manifest: Manifest, { workspace, path, hasHistory }: RotateTools): Promise<Set<string>> {
  const { namespace, name, entries } = manifest;
  const found = new Set<string>();
  if (!hasHistory) return found;
  async function* versions(): AsyncGenerator<Manifest | undefined> {
    yield manifest;
    for await (const bytes of fileVersions(workspace.root, path)) {
      const { manifests } = manifestProblems(bytes, path).file;
      yield manifests.find((one) => one.namespace === namespace && one.name === name);
    }
  }
  for (const previous of entries.keys()) {
    const entry = entryOfPrevious(previous);
    if (entry !== undefined && (await isLeftByRotation(entry, versions()))) found.add(previous);
  }
  return found;
}

function outcome(
  manifest: Manifest,
  { rotate, retire, left, due }: Plan,
  { dropPrevious }: RotateWanted,
  isRotated: (previous: string) => boolean,
): RotatedManifest {
  const kept = dropPrevious ? [] : rotate.filter((entry) => keepsFormer(manifest, [entry])).map(previousOf);
  const dropped = rotate.filter((entry) => !kept.includes(previousOf(entry)));
  const removed = retirePrevious(manifest, [...retire, ...dropped], isRotated);
  const dates = new Map<string, string>();
  for (const [entry, { due: date }] of due) if (date !== undefined) dates.set(entry, date.toISOString());
  return {
    manifest: `${manifest.namespace}/${manifest.name}`,
    rotated: rotate,
    kept,
    removed: removed.map(({ entry }) => entry),
    left,
    due: Object.fromEntries(dates),
    exposed: [...due].flatMap(([entry, { reason }]) => (reason === 'exposed' ? [entry] : [])),
  };
}
