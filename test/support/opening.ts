/** Opens manifests in tests with the keys of test/support/sealing.ts. */
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';
import { testKey } from './sealing.ts';

export function testOpener(...recipients: string[]): Opener {
  const keys = new Map(recipients.map((recipient) => [recipient, testKey(recipient)]));
  return {
    recipients: new Set(recipients),
    holds: (recipient, kid) => keys.get(recipient)?.kid === kid,
    secretKey: (recipient, kid) => {
      const key = keys.get(recipient);
      return key?.kid === kid ? { kid, seed: Buffer.from(key.seed) } : undefined;
    },
    wipe: () => undefined,
  };
}

/** The values of one manifest as one recipient reads them. */
export function openedBy(
  recipient: string,
  file: ManifestFile,
  index = 0,
  encoding: BufferEncoding = 'utf8',
): Record<string, string> {
  const manifest = file.manifests[index];
  if (manifest === undefined) throw new Error('no such manifest');
  const { values } = openManifest(manifest, testOpener(recipient));
  const texts: Record<string, string> = Object.create(null);
  for (const [entry, value] of values) texts[entry] = value.toString(encoding);
  return texts;
}
