/** Many runs leave many data keys, each with a stanza for everybody; a key holder can make one of them again. */

import { type Random, systemRandom } from '../crypto/random.ts';
import { Bug } from '../errors.ts';
import { field } from '../format/document/node.ts';
import { replaceScalar } from '../format/edit/edit-scalar.ts';
import { SealingRun } from '../format/edit/sealing-run.ts';
import { TextEdits } from '../format/edit/text-edits.ts';
import type { ManifestFile } from '../format/manifest/manifest.ts';
import { dataOf, manifestAt } from '../format/manifest/manifest-nodes.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import { openManifest } from '../opening/open-manifest.ts';
import type { Opener } from '../opening/opener.ts';

/**
 * The file's new text, with every value of a manifest sealed again under one new data key; `keys` has one for each
 * listed recipient. The values themselves do not change, so this ends no exposure. Throws what `openManifest` throws.
 */
export function compact(
  file: ManifestFile,
  manifestIndex: number,
  opener: Opener,
  keys: readonly SealingKey[],
  random: Random = systemRandom,
): string {
  const manifest = manifestAt(file, manifestIndex);
  if (manifest.entries.size === 0) return file.text;
  const opened = openManifest(manifest, opener, manifest.entries.keys());
  try {
    const edits = new TextEdits(file.text);
    const run = new SealingRun(manifest, keys, random);
    const data = dataOf(manifest);
    for (const [entry, value] of opened.values) {
      const node = field(data, entry);
      if (node?.kind !== 'scalar') throw new Bug('an entry without its text');
      replaceScalar(edits, node, run.seal(entry, value), data.flow);
    }
    run.writeKeys(edits, file.syntax);
    return edits.result();
  } finally {
    opened.wipe();
  }
}
