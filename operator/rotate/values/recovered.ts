import { randomBytes } from 'node:crypto';
import { previousOf } from '../../../core/format/manifest/rotation.ts';
import { retirePrevious } from '../../../core/values/rotate-entry.ts';
import type { Rotators } from '../rotators/configured.ts';
import type { Placed } from './rotating-manifests.ts';
import type { Rotation } from './rotation.ts';

/**
 * The rotation that a manifest itself tells of, where nobody remembers it (the state directory was lost): its rotator's former value
 * is there still, so that nobody has retired it for sure. Undefined: there is none. Throws ROTATOR_*.
 */
export function recoveredRotation(
  { manifest, file }: Placed,
  source: string,
  rotators: Rotators,
): Rotation | undefined {
  for (const [entry, { rotator }] of manifest.rotation) {
    if (rotator === undefined || !manifest.entries.has(previousOf(entry))) continue;
    const entries = rotators.of(rotator, manifest).entriesOf(entry);
    // What a template holds on to stays, and would be found again and again.
    if (retirePrevious(manifest, entries).length === 0) continue;
    const { namespace, name } = manifest;
    return {
      id: randomBytes(8).toString('hex'),
      ...{ source, namespace, name, entries: [entry], rotator, isExposed: false, step: 'landed' },
      file: { path: file.file, text: file.text },
      ...{ values: [], stanzas: {}, waited: 0 },
    };
  }
  return undefined;
}
