import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord } from '../../../core/audit/record.ts';
import { systemRandom } from '../../../core/crypto/random.ts';
import { publicKeyFromSeed, SEED_LENGTH } from '../../../core/crypto/x-wing.ts';
import { CofferError } from '../../../core/errors.ts';
import { endorseKey } from '../../../core/keys/create.ts';
import type { SecretKeys } from '../../../core/keys/key-file.ts';
import { keyIdOfSeed } from '../../../core/keys/key-id.ts';
import type { Recipient, RecipientKey } from '../../../core/keys/recipient.ts';
import { timestamp } from '../../../core/timestamp.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { KeyMemories, KeyMemory, MadeKey, PendingKey } from './memory.ts';
import type { Wish } from './wish.ts';

export interface MakingOptions {
  cluster: string;
  store: KeyStore;
  memories: KeyMemories;
  audit: Pick<AuditLog, 'append'>;
}

/**
 * Makes the key that is to follow the newest one. Remembered first, so that whoever is killed in between knows which key was made for
 * this wish, and takes no other that lies in the store for it; then recorded; then stored, and read back, since everybody will seal
 * to it.
 *
 * @returns what is remembered from then on
 * @throws CofferError AUDIT_*, KEYS_GONE, what the store and the memory throw
 */
export async function makeKey(
  own: Recipient,
  wish: Wish,
  memory: KeyMemory,
  now: Date,
  options: MakingOptions,
): Promise<KeyMemory & { pending: PendingKey }> {
  const { cluster, store, memories, audit } = options;
  const seed = systemRandom(SEED_LENGTH);
  try {
    const { former, revoke } = wish;
    const pending = {
      kid: keyIdOfSeed(seed),
      created: createdAt(now, own, memory, wish),
      former,
      revoke,
      isTold: false,
    };
    const after = { ...memory, pending };
    await memories.write(after);
    await audit.append([madeRecord(cluster, pending.kid, wish)]);
    await store.store(seed);
    await requireStored(store, pending.kid);
    return after;
  } finally {
    seed.fill(0);
  }
}

function madeRecord(cluster: string, kid: string, { request, reason }: Wish): AuditRecord<'key.changed'> {
  return {
    event: 'key.changed',
    change: 'made',
    cluster,
    recipient: cluster,
    keyIds: [kid],
    ...(request === undefined ? {} : { request }),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function requireStored(store: KeyStore, kid: string): Promise<void> {
  const { keys, wipe } = await store.read();
  wipe();
  if (keys.has(kid)) return;
  throw new CofferError('KEYS_GONE', `A key was stored in ${store.place} and is not there any more.`, {
    advice: 'Find out who removes what is stored there; it is tried again.',
    data: { path: store.place, keyId: kid },
    loop: 'retry',
  });
}

/** Of the store, as the keyring is to list it. One that is not there is not in what comes back. */
export function endorsed(
  made: readonly MadeKey[],
  cluster: string,
  keys: SecretKeys,
  identitySeed: Buffer,
): RecipientKey[] {
  return made.flatMap(({ kid, created }) => {
    const seed = keys.keys.get(kid)?.seed;
    if (seed === undefined) return [];
    return endorseKey({ name: cluster, created, identitySeed, publicKey: publicKeyFromSeed(seed) });
  });
}

/**
 * What of the memory still holds: a key that was never stored is forgotten, one that is listed is no longer pending, and one is given
 * up that was made for another than the newest key, or before that was known to be stolen: then it lay beside it, and stays given up for
 * as long as it is here, whoever lists it meanwhile.
 */
export function reviewed(memory: KeyMemory, own: Recipient, held: ReadonlySet<string>): KeyMemory {
  const { pending, ...rest } = memory;
  const abandoned = rest.abandoned.filter(({ kid }) => held.has(kid));
  if (pending === undefined || !held.has(pending.kid)) return { ...rest, abandoned };
  const former = own.keys.find(({ kid }) => kid === pending.former);
  const isListed = own.keys.some(({ kid }) => kid === pending.kid);
  const isStolen = former?.status === 'revoked' && !pending.revoke;
  const given = new Set(abandoned.map(({ kid }) => kid));
  const isOvertaken = !isListed && pending.former !== own.keys.find(({ kid }) => !given.has(kid))?.kid;
  if (isStolen || isOvertaken) return { ...rest, abandoned: [...abandoned, madeOf(pending)] };
  return isListed ? { ...rest, abandoned } : { ...rest, abandoned, pending };
}

/** Nobody here can vouch for a new key. */
export function noIdentity(own: Recipient, place: string): CofferError {
  return new CofferError(
    'ROTATE_NO_IDENTITY',
    `${own.name} is to have a new key, and its identity is not in ${place}.`,
    {
      advice: `Rotate where the identity is kept: \`coffer recipients rotate ${own.name}\` with its key directory; then give the new key to this operator.`,
      data: { recipient: own.name, path: place },
      loop: 'retry',
    },
  );
}

function madeOf({ kid, created }: PendingKey): MadeKey {
  return { kid, created };
}

/** After every key that there is, whatever the clock says: the keyring lists the newest first (docs/format.md, "Recipients"). */
function createdAt(now: Date, own: Recipient, { abandoned }: KeyMemory, { after }: Wish): string {
  const times = [...own.keys, ...abandoned].map(({ created }) => created);
  const before = [...times, ...(after === undefined ? [] : [after])].map((time) => Date.parse(time) + 1000);
  return timestamp(new Date(Math.max(now.getTime(), ...before)));
}
