import type { Manifest } from '../../core/format/manifest/manifest.ts';

/** The entries of a manifest that are not sealed yet. */
export function plaintextOf(manifest: Manifest): Map<string, Buffer> {
  const waiting = new Map<string, Buffer>();
  for (const [name, entry] of manifest.entries) if (entry.kind === 'plaintext') waiting.set(name, entry.bytes);
  return waiting;
}
