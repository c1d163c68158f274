import { CofferError } from '../errors.ts';
import type { Manifest } from '../format/manifest/manifest.ts';
import type { Keyring } from '../keys/keyring.ts';
import { activeKey } from '../keys/recipient.ts';

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
 * Throws RECIPIENT_NOT_LISTED: who mistypes a name must not believe that somebody was removed. Whom only stanzas name,
 * since somebody took the name out of the list by hand, can be removed.
 */
export function refuseUnlisted(manifest: Manifest, recipients: readonly string[]): void {
  const known = new Set([...manifest.recipients, ...[...manifest.stanzas.values()].flatMap((row) => [...row.keys()])]);
  const unlisted = recipients.find((recipient) => !known.has(recipient));
  if (unlisted === undefined) return;
  const { file, line, namespace, name } = manifest;
  throw new CofferError('RECIPIENT_NOT_LISTED', `${unlisted} is no recipient of ${namespace}/${name}`, {
    advice: `Its recipients are: ${manifest.recipients.join(', ')}.`,
    data: { file, line, namespace, name, recipient: unlisted },
    exit: 2,
  });
}
