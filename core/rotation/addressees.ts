import { CofferError } from '../errors.ts';
import { setRecipients, setStanzas } from '../format/edit-recipients.ts';
import { type Manifest, type ManifestFile, readManifestFile } from '../format/manifest.ts';
import { manifestAt } from '../format/seal.ts';
import type { SealingKey } from '../format/stanza.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Opener } from '../keys/opener.ts';
import { activeKey } from '../keys/recipient.ts';
import { rewrap } from './rewrap.ts';

/** Who shall be able to open a manifest that could not, or with another key, and who no longer. */
export interface Readdressing {
  add: readonly SealingKey[];
  remove: readonly string[];
}

/** Listed recipients who lack a stanza for a value, or have one for a key that is no longer their active one. */
export function staleRecipients(manifest: Manifest, keyring: Keyring): string[] {
  const used = new Set(
    [...manifest.entries.values()].flatMap((entry) => (entry.kind === 'sealed' ? entry.dataKeyId : [])),
  );
  return manifest.recipients.filter((recipient) => {
    const known = keyring.recipients.get(recipient);
    const active = known === undefined ? undefined : activeKey(known);
    // Without an active key there is nothing fresher to seal to.
    if (active === undefined) return false;
    return [...used].some((dataKeyId) => manifest.stanzas.get(dataKeyId)?.get(recipient)?.kid !== active.kid);
  });
}

/**
 * The file's text with one manifest's recipients and stanzas changed; values and data keys stay (docs/format.md,
 * "Edits"). An opener is needed to add, not to remove. Throws RECIPIENT_LAST where nobody would be left,
 * RECIPIENT_NOT_LISTED for a removal of somebody who is no recipient, and what opening throws.
 */
export function readdress(
  file: ManifestFile,
  index: number,
  { add, remove }: Readdressing,
  opener: Opener | undefined,
): string {
  const manifest = manifestAt(file, index);
  refuseUnlisted(manifest, remove);
  const added = add.map(({ recipient }) => recipient).filter((recipient) => !manifest.recipients.includes(recipient));
  const left = [...manifest.recipients.filter((recipient) => !remove.includes(recipient)), ...added];
  if (left.length === 0) {
    throw new CofferError('RECIPIENT_LAST', `nobody could open ${titleOf(manifest)} any more`, {
      advice: 'Add another recipient in the same run, or remove the manifest.',
      data: placeOf(manifest),
      exit: 2,
    });
  }
  let text = file.text;
  const current = () => readManifestFile(Buffer.from(text), file.file);
  if (remove.length > 0) text = setStanzas(current(), index, new Map(), remove);
  if (remove.length + added.length > 0) text = setRecipients(current(), index, left);
  if (add.length > 0 && opener !== undefined) text = rewrap(current(), index, opener, add, []);
  return text;
}

function refuseUnlisted(manifest: Manifest, remove: readonly string[]): void {
  const unlisted = remove.find((recipient) => !manifest.recipients.includes(recipient));
  if (unlisted === undefined) return;
  throw new CofferError('RECIPIENT_NOT_LISTED', `${unlisted} is no recipient of ${titleOf(manifest)}`, {
    advice: `Its recipients are: ${manifest.recipients.join(', ')}.`,
    data: { ...placeOf(manifest), recipient: unlisted },
    exit: 2,
  });
}

function titleOf({ namespace, name }: Manifest): string {
  return `${namespace}/${name}`;
}

function placeOf({ file, line, namespace, name }: Manifest) {
  return { file, line, namespace, name };
}
