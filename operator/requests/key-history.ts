import { keyHistoryFindings } from '../../core/check/rules/key-history.ts';
import { CofferError } from '../../core/errors.ts';
import { ancestors } from '../../core/git/ancestors.ts';
import { isFile } from '../../core/git/tree.ts';
import { recipientFile } from '../../core/keys/create.ts';
import type { Asked } from './asked.ts';

/** Rules of `coffer check` after which a key is one that its owner gave up. */
const GIVEN_UP = new Set(['CHECK_KEY_STATUS_BACK', 'CHECK_KEY_ROLLED_BACK']);

/**
 * Throws REQUEST_KEY_ROLLED_BACK where the history at hand knows a later state of a recipient's keys than its file says: statuses are
 * not endorsed, so whoever can push could have everything sealed to an older key that they stole, with nobody there to ask.
 */
export async function refuseRolledBack({ source, state, keyring }: Asked, recipient: string): Promise<void> {
  const { repository } = source;
  const path = recipientFile(recipient);
  const blobs = new Set<string>();
  for await (const { tree } of ancestors(repository, state.commit, (oid) => repository.objects.has(oid))) {
    const entry = await repository.entryAt(tree, path);
    if (entry !== undefined && isFile(entry)) blobs.add(entry.oid);
  }
  const earlier = await Promise.all(
    Array.from(blobs, async (oid) => ({ path, bytes: await repository.readBlob(oid) })),
  );
  const found = keyHistoryFindings(keyring, earlier).find(({ rule }) => GIVEN_UP.has(rule));
  if (found === undefined) return;
  throw new CofferError('REQUEST_KEY_ROLLED_BACK', `nothing is sealed to ${recipient}: ${found.message}`, {
    advice: `Find out who changed ${path}; restore it from git, or have the owner make a new key.`,
    data: { recipient, ...(found.data.keyId === undefined ? {} : { keyId: found.data.keyId }) },
  });
}
