import { createHash } from 'node:crypto';
import { type Manifest, sealedText } from '../../../../core/format/manifest/manifest.ts';

/** How a manifest stands to a rotation: it has its values, still the former ones, or others. */
export type Standing = 'ours' | 'former' | 'other';

/** Of the accepted manifest and of the projected one, before and after something was sealed anew. */
const MOST = 4;

/** What was found by opening, which the same texts need not tell again: an overlap lasts for days, and is looked at each minute. */
export class Standings {
  /** Id of the rotation → digest of the texts that were compared → what they told. */
  readonly #known = new Map<string, Map<string, Standing>>();

  async of(
    rotation: string,
    manifests: readonly Manifest[],
    entries: readonly string[],
    open: () => Promise<Standing>,
  ): Promise<Standing> {
    const texts = manifests.map((manifest) => entries.map((entry) => sealedText(manifest, entry)));
    const key = createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
    const known = this.#known.get(rotation) ?? new Map<string, Standing>();
    const before = known.get(key);
    if (before !== undefined) return before;
    const standing = await open();
    if (known.size >= MOST) known.clear();
    this.#known.set(rotation, known.set(key, standing));
    return standing;
  }

  forget(rotation: string): void {
    this.#known.delete(rotation);
  }
}
