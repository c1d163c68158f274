import { orNothing } from '../../errors.ts';
import type { Keyring } from '../../keys/keyring.ts';
import { activeKey, hasGoneBack, type Recipient, type RecipientKey, readRecipient } from '../../keys/recipient.ts';
import { type Finding, finding } from '../finding.ts';

/** A file of the keyring as it once was. */
export interface EarlierFile {
  path: string;
  bytes: Uint8Array;
}

/**
 * What became of keys since earlier versions of the keyring. Statuses are not endorsed and a key can be left out, so
 * whoever can push could make everybody seal to an older key that they stole: the file alone does not show it.
 * Versions that are not valid, or under another identity (which pins ask about), are not compared.
 */
export function keyHistoryFindings(keyring: Keyring, earlier: readonly EarlierFile[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const { path, bytes } of earlier) {
    const before = orNothing(() => readRecipient(bytes, path));
    const now = before && keyring.recipients.get(before.name);
    if (before === undefined || now === undefined || !before.identity.equals(now.identity)) continue;
    for (const key of before.keys) {
      const problem = judge(now, key);
      if (problem !== undefined) found.set(`${now.name} ${key.kid} ${problem.rule}`, problem);
    }
  }
  return [...found.values()];
}

/** Ids of the keys that what is checked revokes itself: `earlier` lists them, and never as revoked. */
export function revokedNow(keyring: Keyring, earlier: readonly EarlierFile[]): ReadonlySet<string> {
  const revoked = [...keyring.recipients.values()].flatMap(({ keys }) => keys.filter(isRevoked).map(({ kid }) => kid));
  if (revoked.length === 0) return new Set();
  const before = earlier.flatMap(({ path, bytes }) => orNothing(() => readRecipient(bytes, path))?.keys ?? []);
  const listed = new Set(before.map(({ kid }) => kid));
  const known = new Set(before.filter(isRevoked).map(({ kid }) => kid));
  return new Set(revoked.filter((kid) => listed.has(kid) && !known.has(kid)));
}

function isRevoked({ status }: RecipientKey): boolean {
  return status === 'revoked';
}

function judge(now: Recipient, before: RecipientKey): Finding | undefined {
  const data = { file: now.file, recipient: now.name, keyId: before.kid };
  const same = now.keys.find(({ kid }) => kid === before.kid);
  if (same !== undefined) {
    if (!hasGoneBack(before.status, same.status)) return undefined;
    return finding('CHECK_KEY_STATUS_BACK', data, {
      message: `the key ${before.kid} of ${now.name} is ${same.status}, and was ${before.status} before`,
      advice: `Seal nothing to ${now.name}: restore the file from git, or make a new key.`,
    });
  }
  const active = activeKey(now);
  if (active !== undefined && active.created < before.created) {
    return finding('CHECK_KEY_ROLLED_BACK', data, {
      message: `the key ${before.kid} of ${now.name} is gone, and an older one is active`,
      advice: `Seal nothing to ${now.name}: restore the file from git, or make a new key.`,
    });
  }
  return finding('CHECK_KEY_GONE', data, {
    message: `the key ${before.kid} of ${now.name} is gone from its file`,
    advice: 'Put it back as git has it, retired or revoked: the history has stanzas for it.',
  });
}
