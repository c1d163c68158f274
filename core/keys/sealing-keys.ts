import { CofferError } from '../errors.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import { identityText } from './key-texts.ts';
import type { Keyring } from './keyring.ts';
import { checkPin, type Pins } from './pins.ts';
import { activeKey, type Recipient } from './recipient.ts';

export type { SealingKey } from '../format/sealed/stanza.ts';

/**
 * The active keys of recipients, each endorsed by an identity that is pinned: the only way from a name to a key.
 *
 * @throws CofferError RECIPIENT_UNKNOWN, RECIPIENT_UNPINNED, RECIPIENT_IDENTITY_CHANGED, RECIPIENT_NO_ACTIVE_KEY, or
 * what is wrong with the recipient's file
 */
export function sealingKeys(keyring: Keyring, pins: Pins, names: Iterable<string>): SealingKey[] {
  return Array.from(names, (name) => {
    const recipient = requireRecipient(keyring, name);
    requirePinned(pins, recipient);
    const key = activeKey(recipient);
    if (key !== undefined) return { recipient: name, kid: key.kid, publicKey: key.publicKey };
    throw withoutActiveKey(recipient);
  });
}

/** A key that was revoked before there is another was stolen; its successor is on its way. */
function withoutActiveKey({ name, type, keys, file }: Recipient): CofferError {
  const isRevoked = keys[0]?.status === 'revoked';
  const what = isRevoked ? `the key of ${name} is revoked, and there is no new one yet` : `${name} has no active key`;
  const ask =
    type === 'cluster'
      ? `Once its operator has made one, \`coffer recipients rewrap ${name} --from-cluster\` brings it (or pull, where the operator pushes)`
      : `Its owner makes one with \`coffer recipients rotate ${name}\``;
  return new CofferError('RECIPIENT_NO_ACTIVE_KEY', `${what}, so nothing can be sealed to it`, {
    advice: `${ask}; else remove it from the recipients.`,
    data: { recipient: name, file, ...(isRevoked ? { keyId: keys[0]?.kid } : {}) },
  });
}

function requireRecipient(keyring: Keyring, name: string): Recipient {
  const recipient = keyring.recipients.get(name);
  if (recipient !== undefined) return recipient;
  const problem = keyring.problems.find(({ data }) => data.recipient === name || isFileOf(name, data.file));
  if (problem !== undefined) throw problem;
  const known = [...keyring.recipients.keys()].toSorted().join(', ');
  throw new CofferError('RECIPIENT_UNKNOWN', `there is no recipient ${name} in .coffer/recipients/`, {
    advice: known === '' ? 'Make one with `coffer recipients create`.' : `Choose one of: ${known}.`,
    data: { recipient: name },
  });
}

function isFileOf(name: string, file: string | undefined): boolean {
  return file?.endsWith(`/${name}.yaml`) ?? false;
}

/** Throws RECIPIENT_UNPINNED, RECIPIENT_IDENTITY_CHANGED. */
export function requirePinned(pins: Pins, recipient: Recipient): void {
  const { name, file } = recipient;
  const data = { recipient: name, file };
  const confirm = pins.confirm?.(name) ?? `\`coffer recipients pin ${name}\``;
  switch (checkPin(pins, recipient)) {
    case 'pinned':
      return;
    case 'unknown':
      throw new CofferError('RECIPIENT_UNPINNED', `you have not yet confirmed the identity of ${name}`, {
        advice: `Compare ${identityText(recipient.identity)} with its owner, then ${confirm}.`,
        data,
      });
    case 'changed':
      throw new CofferError('RECIPIENT_IDENTITY_CHANGED', `the identity of ${name} is not the one that you confirmed`, {
        advice: `Ask its owner whether the identity was replaced; seal nothing to it before. Then ${confirm}.`,
        data,
      });
  }
}
