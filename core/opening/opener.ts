import { openGroupSeed } from '../keys/group.ts';
import type { SecretKey, SecretKeys } from '../keys/key-directory.ts';
import { type Keyring, recipientOfKey } from '../keys/keyring.ts';
import type { Recipient } from '../keys/recipient.ts';

/** Who opens: the recipients that this process is (groups included), and the secret keys it holds for each. */
export interface Opener {
  recipients: ReadonlySet<string>;
  /** Whether there is such a key to open with. Opens nothing, a group's seed neither. */
  holds(recipient: string, kid: string): boolean;
  /** @throws CofferError when the key is a group's and its seed does not open (core/keys/group.ts). */
  secretKey(recipient: string, kid: string): SecretKey | undefined;
  /** Zeroes the group seeds that it opened. The secret keys belong to who read them (`SecretKeys.wipe`). */
  wipe(): void;
}

/** Who holds no key: for work that needs none. */
export const NOBODY: Opener = {
  recipients: new Set(),
  holds: () => false,
  secretKey: () => undefined,
  wipe: () => undefined,
};

/**
 * @param options.as the one name to open under, beside that recipient's groups: an operator's, from its configuration,
 *   or a person's outside of a repository. Absent: every recipient whose file lists a key that is held.
 */
export function openerFor(keyring: Keyring, secretKeys: SecretKeys, options: { as?: string } = {}): Opener {
  const own: OwnKeys =
    options.as === undefined ? keysByRecipient(keyring, secretKeys) : new Map([[options.as, secretKeys.keys]]);
  const groups = new Map(
    [...keyring.recipients].filter(([, { members }]) => members.some((member) => own.has(member))),
  );
  const opened = new Map<Recipient, Map<string, SecretKey>>();

  function groupKey(group: Recipient, kid: string): SecretKey | undefined {
    const before = opened.get(group)?.get(kid);
    if (before !== undefined) return before;
    const key = openGroupKey(group, kid, own);
    if (key !== undefined) opened.set(group, (opened.get(group) ?? new Map<string, SecretKey>()).set(kid, key));
    return key;
  }

  return {
    recipients: new Set([...own.keys(), ...groups.keys()]),
    holds: (name, kid) => {
      const group = groups.get(name);
      return own.get(name)?.has(kid) === true || (group !== undefined && groupRow(group, kid, own) !== undefined);
    },
    secretKey: (name, kid) => {
      const group = groups.get(name);
      return own.get(name)?.get(kid) ?? (group && groupKey(group, kid));
    },
    wipe: () => {
      for (const keys of opened.values()) for (const { seed } of keys.values()) seed.fill(0);
      opened.clear();
    },
  };
}

/** Recipient → kid → key. */
type OwnKeys = ReadonlyMap<string, ReadonlyMap<string, SecretKey>>;

function keysByRecipient(keyring: Keyring, { keys }: SecretKeys): OwnKeys {
  const own = new Map<string, Map<string, SecretKey>>();
  for (const key of keys.values()) {
    const name = recipientOfKey(keyring, key.kid)?.name;
    if (name !== undefined) own.set(name, (own.get(name) ?? new Map<string, SecretKey>()).set(key.kid, key));
  }
  return own;
}

function openGroupKey(group: Recipient, kid: string, own: OwnKeys): SecretKey | undefined {
  const row = groupRow(group, kid, own);
  if (row === undefined) return undefined;
  return { kid, seed: openGroupSeed(row.text, { name: group.name, kid }, { recipient: row.member, ...row.key }) };
}

/** The row of a group's key that is sealed to a key we hold. */
function groupRow(
  group: Recipient,
  kid: string,
  own: OwnKeys,
): { member: string; key: SecretKey; text: string } | undefined {
  for (const [member, row] of group.keys.find((key) => key.kid === kid)?.seeds ?? []) {
    const key = own.get(member)?.get(row.kid);
    if (key !== undefined) return { member, key, text: row.text };
  }
  return undefined;
}
