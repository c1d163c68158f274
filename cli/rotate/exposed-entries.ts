import { textDigest } from '../../core/exposure/text-digest.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { exposureOf } from '../exposure/exposure-of.ts';

/** Digests of sealed texts. */
export type ExposedTexts = ReadonlySet<string>;

/**
 * What of the current values a revoked key could open. A value that was sealed anew since then is not among them, though it may be the
 * same: nobody can tell who holds no key, and one that was just rotated would be due again and again.
 *
 * @throws CofferError EXPOSURE_*, GIT_*
 */
export async function exposedTexts(root: string): Promise<ExposedTexts> {
  const { report } = await exposureOf(root, {}, { isPartial: false, says: 'line' });
  return new Set(report.values.flatMap(({ state, text }) => (state === 'live' ? [text] : [])));
}

export function exposedEntries(manifest: Manifest, exposed: ExposedTexts): Set<string> {
  const entries = [...manifest.entries].filter(
    ([, value]) => value.kind === 'sealed' && exposed.has(textDigest(value.text)),
  );
  return new Set(entries.map(([entry]) => entry));
}
