/**
 * Merges manifests: stanzas are united, values that were changed on one side are taken, a value that both sides
 * changed stays a conflict (docs/format.md, "Edits"). No secret key is needed.
 *
 * The lines under `keys` are taken out of all versions, the rest is merged line by line, and the united stanzas are
 * put back in where `keys` ends up.
 */
import { orNothing } from '../../errors.ts';
import { pairOf } from '../document/node.ts';
import { changeStanzas } from '../edit/edit-recipients.ts';
import { changeKeys, unitOf } from '../edit/keys-layout.ts';
import { endOfSection } from '../edit/keys-slots.ts';
import { namedDataKeys } from '../edit/sealing-run.ts';
import { TextEdits } from '../edit/text-edits.ts';
import { type Manifest, type ManifestFile, sealedText } from '../manifest/manifest.ts';
import { specOf } from '../manifest/manifest-nodes.ts';
import { readManifestFile } from '../manifest/read-manifest.ts';
import { type Labels, linesOf, readMarkers, writeMarkers } from './conflict-markers.ts';
import { isConflict, type MergePart, mergeLines, mergeTwoSides } from './line-merge.ts';
import { mergeEntries } from './merge-entries.ts';
import { unitedLines, unitedStanzas, type Version } from './merge-keys.ts';

const DRIVER_LABELS: Labels = { ours: 'ours', base: '', theirs: 'theirs' };

/**
 * Resolves what can be resolved in a file with conflict markers, diff3 style too; `unresolved` counts the conflicts
 * that stay, in markers. `base` is the common ancestor's text, for markers that do not say it (git's default style):
 * without it, which side changed what is not known, and only stanzas are united. Throws CONFLICT_MARKERS_MALFORMED.
 */
export function resolveConflicts(text: string, base?: string): { text: string; unresolved: number } {
  const { ours, base: marked, theirs, labels, conflicts } = readMarkers(text);
  if (conflicts === 0) return { text, unresolved: 0 };
  const merged = new Merge(base ?? marked, ours, theirs, labels).result();
  return merged === undefined ? { text, unresolved: conflicts } : { text: merged.text, unresolved: merged.conflicts };
}

/** For git's merge driver. Texts that hold no manifests, or cannot be read, are merged line by line, as git does. */
export function mergeThreeWay(base: string, ours: string, theirs: string): { text: string; conflicts: number } {
  const merged = new Merge(base, ours, theirs, DRIVER_LABELS).result();
  return merged ?? written(mergeLines(linesOf(base), linesOf(ours), linesOf(theirs)), DRIVER_LABELS);
}

function written(parts: readonly MergePart[], labels: Labels): { text: string; conflicts: number } {
  return { text: writeMarkers(parts, labels), conflicts: parts.filter(isConflict).length };
}

/** The three versions of one manifest. */
interface Trio {
  base: Version | undefined;
  ours: Version;
  theirs: Version;
}

class Merge {
  readonly #base: string | undefined;
  readonly #ours: string;
  readonly #theirs: string;
  readonly #labels: Labels;

  constructor(base: string | undefined, ours: string, theirs: string, labels: Labels) {
    this.#base = base;
    this.#ours = ours;
    this.#theirs = theirs;
    this.#labels = labels;
  }

  /** Undefined if the versions cannot be compared as manifests. */
  result(): { text: string; conflicts: number } | undefined {
    const [base, ours, theirs] = [this.#base, this.#ours, this.#theirs].map(read);
    if (ours === undefined || theirs === undefined) return undefined;
    const trios = triosOf(base, ours, theirs);
    if (trios === undefined) return undefined;
    const parts = this.#mergedSkeletons(base, ours, theirs);
    const merged = written(parts, this.#labels);
    merged.text = trios.reduce((text, trio, index) => filledIn(text, trio, index), merged.text);
    return merged.conflicts > 0 ? merged : finished(merged.text);
  }

  #mergedSkeletons(base: ManifestFile | undefined, ours: ManifestFile, theirs: ManifestFile): MergePart[] {
    const [our, their] = [skeleton(ours), skeleton(theirs)];
    if (this.#base === undefined) return mergeTwoSides(our, their);
    const was = base === undefined ? linesOf(this.#base) : skeleton(base);
    return mergeLines(was, our, their).flatMap((part) => (isConflict(part) ? mergeEntries(part) : [part]));
  }
}

function read(text: string | undefined): ManifestFile | undefined {
  if (text === undefined) return undefined;
  const file = orNothing(() => readManifestFile(Buffer.from(text), ''));
  return file?.syntax === 'yaml' && file.manifests.length > 0 ? file : undefined;
}

/** The manifests of both sides in pairs; undefined unless both hold the same ones in the same order. */
function triosOf(base: ManifestFile | undefined, ours: ManifestFile, theirs: ManifestFile): Trio[] | undefined {
  if (ours.manifests.length !== theirs.manifests.length) return undefined;
  const trios = ours.manifests.map((manifest, index): Trio | undefined => {
    const other = theirs.manifests[index];
    if (other === undefined || titleOf(other) !== titleOf(manifest)) return undefined;
    const was = base?.manifests.find((candidate) => titleOf(candidate) === titleOf(manifest));
    return {
      base: base === undefined || was === undefined ? undefined : { file: base, manifest: was },
      ours: { file: ours, manifest },
      theirs: { file: theirs, manifest: other },
    };
  });
  return trios.every((trio) => trio !== undefined) ? trios : undefined;
}

function titleOf({ namespace, name }: Manifest): string {
  return `${namespace}/${name}`;
}

/** Stands for the lines under a manifest's `keys`. No manifest holds a NUL. */
function placeholder(index: number): string {
  return `\0${index}\n`;
}

/** A file's lines, with a placeholder for those under each manifest's `keys`. */
function skeleton(file: ManifestFile): string[] {
  const edits = new TextEdits(file.text);
  for (const [index, manifest] of file.manifests.entries()) {
    const keys = pairOf(specOf(manifest), 'keys');
    if (keys?.value.kind !== 'mapping' || keys.value.flow) continue;
    const end = endOfSection(edits, keys.value, edits.indentAt(keys.value.start));
    edits.replace(edits.lines.endOf(keys.key.start), end, placeholder(index));
  }
  return linesOf(edits.result());
}

/** Puts the united lines where the placeholder stands, and drops `keys:` if nothing is left under it. */
function filledIn(text: string, { base, ours, theirs }: Trio, index: number): string {
  const stanzas = unitedStanzas(base?.manifest, ours.manifest, theirs.manifest);
  const named = new Map<string, Set<string>>();
  for (const { manifest } of [ours, theirs]) {
    for (const [entry, id] of namedDataKeys(manifest)) {
      const ids = named.get(entry) ?? new Set();
      named.set(entry, id === undefined || !text.includes(sealedText(manifest, entry) ?? '') ? ids : ids.add(id));
    }
  }
  for (const id of stanzas.keys()) if (!text.includes(`CF[1:${id}:`)) stanzas.delete(id);
  const edits = new TextEdits(ours.file.text);
  const spec = specOf(ours.manifest);
  const unit = unitOf(edits, spec);
  const lines = unitedLines([ours, theirs], stanzas, named, edits.indentAt(spec.start) + unit, unit);
  const united = lines.map((line) => line + edits.lineBreak).join('');
  return text.replaceAll(placeholder(index), () => united);
}

/** Where nothing is left to decide: stanzas for recipients that are not listed go, and data keys that no value names. */
function finished(text: string): { text: string; conflicts: number } {
  const file = read(text);
  // Each side was well-formed, but not both together: one entry in two places, for example.
  if (file === undefined) return { text, conflicts: 1 };
  const edits = new TextEdits(text);
  for (const manifest of file.manifests) {
    const listed = new Set(manifest.recipients);
    const stanzas = [...manifest.stanzas.values()].flatMap((byRecipient) => [...byRecipient.keys()]);
    const unlisted = new Set(stanzas.filter((recipient) => !listed.has(recipient)));
    changeStanzas(edits, file.syntax, manifest, new Map(), unlisted);
    changeKeys(edits, manifest, file.syntax, { entries: namedDataKeys(manifest), touched: new Set() });
  }
  return { text: edits.result(), conflicts: 0 };
}
