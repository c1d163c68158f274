import type { Finding } from '../../core/check/finding.ts';
import { keyHistoryFindings } from '../../core/check/rules/key-history.ts';
import { CofferError } from '../../core/errors.ts';
import { ancestors } from '../../core/git/commits/ancestors.ts';
import { isFile } from '../../core/git/trees/tree.ts';
import { recipientFile } from '../../core/keys/create.ts';
import type { Keyring } from '../../core/keys/keyring.ts';
import type { Asked } from './asked.ts';

/** Rules of `coffer check` after which a key is one that its owner gave up. */
const GIVEN_UP = new Set(['CHECK_KEY_STATUS_BACK', 'CHECK_KEY_ROLLED_BACK']);

/** Whether a keyring gives a recipient a key to seal to that one of these earlier versions of its file had given up. */
export function givenUp(keyring: Keyring, recipient: string, earlier: readonly Uint8Array[]): Finding | undefined {
  const path = recipientFile(recipient);
  const findings = keyHistoryFindings(
    keyring,
    earlier.map((bytes) => ({ path, bytes })),
  );
  return findings.find(({ rule }) => GIVEN_UP.has(rule));
}

/**
 * Throws REQUEST_KEY_ROLLED_BACK where the history at hand, or `known`, the recipient's file as it is remembered, has a later state
 * of its keys than the file says: statuses are not endorsed, so whoever can push could have everything sealed to an older key that
 * they stole, with nobody there to ask.
 */
export async function refuseRolledBack(asked: Asked, recipient: string, known: string | undefined): Promise<void> {
  const earlier = await earlierFiles(asked, recipient);
  if (known !== undefined) earlier.push(Buffer.from(known));
  const found = givenUp(asked.keyring, recipient, earlier);
  if (found === undefined) return;
  throw new CofferError('REQUEST_KEY_ROLLED_BACK', `nothing is sealed to ${recipient}: ${found.message}`, {
    advice: `Find out who changed ${recipientFile(recipient)}; restore it from git, or have the owner make a new key.`,
    data: { recipient, ...(found.data.keyId === undefined ? {} : { keyId: found.data.keyId }) },
  });
}

/** As far as the history reaches: a clone begins with the newest commit. */
async function earlierFiles({ source, state }: Asked, recipient: string): Promise<Uint8Array[]> {
  const { repository } = source;
  const path = recipientFile(recipient);
  const blobs = new Set<string>();
  for await (const { tree } of ancestors(repository, state.commit, (oid) => repository.objects.has(oid))) {
    const entry = await repository.entryAt(tree, path);
    if (entry !== undefined && isFile(entry)) blobs.add(entry.oid);
  }
  return Promise.all(Array.from(blobs, (oid) => repository.readBlob(oid)));
}
