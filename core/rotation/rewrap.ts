import { Bug } from '../errors.ts';
import type { ManifestFile } from '../format/manifest.ts';
import { type Random, systemRandom } from '../format/random.ts';
import type { SealingKey } from '../format/stanza.ts';
import type { Opener } from '../keys/opener.ts';

/** Stanzas for more recipients (needs a secret key), fewer, or newer keys; data keys and values stay as they are. */
export function rewrap(
  _file: ManifestFile,
  _manifestIndex: number,
  _opener: Opener,
  _add: readonly SealingKey[],
  _remove: readonly string[],
  _random: Random = systemRandom,
): string {
  throw new Bug('not written yet');
}
