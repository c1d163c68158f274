import { Bug, CofferError } from '../../../core/errors.ts';
import type { Manifest, ManifestFile } from '../../../core/format/manifest/manifest.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import { sealGroupSeed } from '../../../core/keys/group.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import type { Opener } from '../../../core/opening/opener.ts';
import { type Proposal, withStanzasIn } from '../../../core/rotation/proposal.ts';
import { proposalId } from '../../../core/rotation/proposal-id.ts';
import { newStanzas } from '../../../core/rotation/rewrap.ts';
import { workingTree } from '../../git/trees.ts';
import { applyToWorkingTree } from '../../published/working-tree.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { manifestFiles } from '../manifest-files.ts';
import { requestsIn } from '../requests.ts';

export interface RewrappedAll {
  /** Paths that were written or removed, from the root. */
  files: string[];
  /** What the keys at hand do not open: path → why. */
  refused: ReadonlyMap<string, string>;
}

/**
 * What the operator of a cluster proposes after a rotation, made here with the keys at hand and put into the working tree: the
 * recipient with its new key, every stanza and seed of its own sealed to it.
 *
 * @param text of the recipient's file, where more of it changes than its keys
 */
export async function rewrapAll(
  workspace: Workspace,
  wanted: Recipient,
  opener: Opener,
  broken: (error: CofferError) => void,
  text?: Buffer,
): Promise<RewrappedAll> {
  const { name } = wanted;
  const active = activeKey(wanted);
  if (active === undefined) throw new Bug('a recipient that was just given a key has none');
  const key: SealingKey = { recipient: name, kid: active.kid, publicKey: active.publicKey };
  const tree = await workingTree(workspace.root);
  const { made, refused } = await rewrapped(manifestFiles(workspace, broken, tree), wanted, key, opener);
  if (text !== undefined) made.set(wanted.file, text);
  const requests = (await requestsIn(workspace)).filter((one) => one.kind === 'rotate' && one.recipient === name);
  const proposal: Proposal = {
    ...{ id: proposalId('rewrap', name), cluster: name, commit: '', values: [], refused },
    recipient: { name, text: renderRecipient(wanted) },
    stanzas: new Map(),
    seeds: rewrappedSeeds(workspace, key, opener),
    fulfils: requests.map(({ id }) => id),
  };
  return { files: await applyToWorkingTree(workspace, proposal, { made, tree }), refused };
}

/** Each file is read once: reading takes as long as the key exchange. */
async function rewrapped(
  files: AsyncIterable<{ path: string; file: ManifestFile }>,
  { keys }: Recipient,
  key: SealingKey,
  opener: Opener,
): Promise<{ made: Map<string, Buffer>; refused: Map<string, string> }> {
  const made = new Map<string, Buffer>();
  const refused = new Map<string, string>();
  const keysOf = async (name: string) => (name === key.recipient ? keys : undefined);
  for await (const { path, file } of files) {
    const stanzas = new Map<string, Map<string, string>>();
    for (const manifest of file.manifests) {
      if (!manifest.recipients.includes(key.recipient)) continue;
      const rows = stanzasOr(manifest, key, opener);
      if (rows instanceof CofferError) refused.set(path, rows.message);
      else for (const [id, row] of rows) stanzas.set(id, row);
    }
    const before = Buffer.from(file.text);
    const after = await withStanzasIn(file, before, stanzas, keysOf);
    if (after !== before) made.set(path, after);
  }
  return { made, refused };
}

/** One manifest that does not open holds the others back in nothing. */
function stanzasOr(
  manifest: Manifest,
  key: SealingKey,
  opener: Opener,
): Map<string, Map<string, string>> | CofferError {
  try {
    return newStanzas(manifest, opener, [key]);
  } catch (error) {
    if (error instanceof CofferError) return error;
    throw error;
  }
}

/** Group → id of the group's key → its seed for this member's new key. */
function rewrappedSeeds(
  { keyring }: Workspace,
  key: SealingKey,
  opener: Opener,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const seeds = new Map<string, Map<string, string>>();
  for (const group of keyring.recipients.values()) {
    for (const { kid, seeds: rows } of group.keys) {
      const row = rows.get(key.recipient);
      const secret = row === undefined || row.kid === key.kid ? undefined : opener.secretKey(group.name, kid);
      if (secret === undefined) continue;
      const own = seeds.get(group.name) ?? new Map<string, string>();
      seeds.set(group.name, own.set(kid, sealGroupSeed(secret.seed, { name: group.name, kid }, key)));
    }
  }
  return seeds;
}
