import { randomBytes } from 'node:crypto';
import { previousOf } from '../../../../core/format/manifest/rotation.ts';
import { formerUnproven } from '../../../../core/values/refusals.ts';
import { retirePrevious } from '../../../../core/values/rotate-entry.ts';
import type { Rotators } from '../../rotators/configured.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { Placed } from '../rotating-manifests.ts';

/**
 * The rotation that a manifest itself tells of, where nobody remembers it (the state directory was lost): its rotator's former value
 * is there still, so that nobody has retired it for sure. `former`: the entries that it left. Undefined: there
 * is none. Throws ROTATOR_*, and ROTATE_FORMER_UNPROVEN
 * where whoever may write values would choose what is revoked.
 */
export function recoveredRotation(
  { manifest, file }: Placed,
  source: string,
  rotators: Rotators,
): { rotation: Rotation; former: string[] } | undefined {
  for (const [entry, { rotator }] of manifest.rotation) {
    if (rotator === undefined || !manifest.entries.has(previousOf(entry))) continue;
    const chosen = rotators.of(rotator, manifest);
    const entries = chosen.entriesOf(entry);
    // What a template holds on to stays, and would be found again and again.
    if (retirePrevious(manifest, entries).length === 0) continue;
    const { namespace, name } = manifest;
    // A rotation keeps all of them, or none.
    const isWhole = entries.every((name) => manifest.entries.has(previousOf(name)));
    if (!chosen.isConfined || !isWhole) throw formerUnproven(manifest, previousOf(entry));
    const rotation: Rotation = {
      id: randomBytes(8).toString('hex'),
      ...{ source, namespace, name, entries: [entry], rotator, isExposed: false, step: 'landed' },
      file: { path: file.file, text: file.text },
      ...{ values: [], stanzas: {}, waited: 0 },
    };
    return { rotation, former: entries.map(previousOf) };
  }
  return undefined;
}
