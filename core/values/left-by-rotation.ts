import { type Manifest, sealedText } from '../format/manifest/manifest.ts';
import { previousOf } from '../format/manifest/rotation.ts';

type Version = Pick<Manifest, 'entries'>;

/**
 * Whether ENTRY.previous is what a rotation left, by what the manifest was: it came with another text of ENTRY, and has changed since only
 * together with that. A value that people named so is none. Of the entry's former values, only those back to its coming are asked for.
 *
 * @param versions from the newest to the oldest that are known; undefined: the manifest was not there
 */
export async function isLeftByRotation(
  entry: string,
  versions: AsyncIterable<Version | undefined> | Iterable<Version | undefined>,
): Promise<boolean> {
  let newer: Version | undefined;
  for await (const version of versions) {
    if (newer === undefined) {
      newer = version;
      continue;
    }
    const own = version && sealedText(version, entry);
    if (version === undefined || own === undefined) return false;
    const isOther = own !== sealedText(newer, entry);
    const former = sealedText(version, previousOf(entry));
    if (former === undefined) return isOther;
    if (former !== sealedText(newer, previousOf(entry)) && !isOther) return false;
    newer = version;
  }
  return false;
}
