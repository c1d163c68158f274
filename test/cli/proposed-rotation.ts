/** What an operator proposes after a rotation, for tests of who takes it over. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../core/crypto/random.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { createKey } from '../../core/keys/create.ts';
import { readIdentity, readKeyDirectory, storeSecretKey } from '../../core/keys/key-directory.ts';
import { withNewKey } from '../../core/keys/new-key.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { openerFor } from '../../core/opening/opener.ts';
import { type Proposal, proposalParts } from '../../core/rotation/proposal.ts';
import { newStanzas } from '../../core/rotation/rewrap.ts';
import type { Desk } from './desk.ts';

const PRODUCTION = '.coffer/recipients/production.yaml';

/**
 * As the operator of production does it, whose keys are in the folder `production` of the desk's home: a new key there, and a file with
 * what it proposes, signed by the identity of `signer`, which is there too. @returns the path of the file
 */
export async function proposedRotation(
  desk: Desk,
  files: readonly string[],
  change: (proposal: Proposal) => Proposal = (proposal) => proposal,
  signer = 'production',
): Promise<string> {
  const keys = join(desk.home, 'production');
  const identitySeed = await readIdentity(keys, 'production');
  const created = new Date(Date.now() + 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  const made = createKey({ name: 'production', created, identitySeed, random: systemRandom });
  const opener = openerFor({ recipients: new Map(), problems: [] }, await readKeyDirectory(keys), { as: 'production' });
  await storeSecretKey(keys, made.seed);
  const key = { recipient: 'production', kid: made.key.kid, publicKey: made.key.publicKey };
  const stanzas = files.flatMap((file) =>
    readManifestFile(Buffer.from(desk.read(file)), file).manifests.flatMap((one) => [
      ...newStanzas(one, opener, [key]),
    ]),
  );
  const wanted = withNewKey(readRecipient(Buffer.from(desk.read(PRODUCTION)), PRODUCTION), made.key, {
    formerStatus: 'retired',
  });
  const requests = desk.git('ls-files', '.coffer/requests').split('\n').filter(Boolean);
  const file = join(desk.home, 'rewrap-production.jsonl');
  const proposal: Proposal = {
    ...{ id: 'rewrap-production', cluster: 'production', commit: desk.git('rev-parse', 'HEAD').trim(), values: [] },
    recipient: { name: 'production', text: renderRecipient(wanted) },
    stanzas: new Map(stanzas),
    fulfils: requests.map((path) => path.replace(/^.*\/|\.yaml$/g, '')),
    refused: new Map(),
  };
  writeFileSync(file, `${proposalParts(change(proposal), await readIdentity(keys, signer)).join('\n')}\n`);
  return file;
}
