import type { OpeningKey, SealingKey } from '../../../core/format/sealed/stanza.ts';
import { createGroup, createRecipient } from '../../../core/keys/create.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import { randomFrom } from './random.ts';

/** The recipients that play in the vectors. */
export interface Player {
  recipient: Recipient;
  seed: Buffer;
  identitySeed: Buffer;
  sealing: SealingKey;
  opening: OpeningKey;
}

export const CREATED = '2026-11-21T09:00:00Z';

export interface Cast {
  production: Player;
  staging: Player;
  alice: Player;
  /** A group of production and alice. */
  team: Player;
}

export function cast(): Cast {
  const production = single('production', 'cluster');
  const staging = single('staging', 'cluster');
  const alice = single('alice', 'person');
  const made = createGroup({
    name: 'team',
    created: CREATED,
    members: [production.sealing, alice.sealing],
    identitySeed: alice.identitySeed,
    random: randomFrom('team'),
  });
  return { production, staging, alice, team: player({ ...made, identitySeed: alice.identitySeed }) };
}

function single(name: string, type: 'cluster' | 'person'): Player {
  return player(createRecipient({ name, type, created: CREATED, random: randomFrom(name) }));
}

function player(made: { recipient: Recipient; seed: Buffer; identitySeed: Buffer }): Player {
  const { recipient, seed } = made;
  const key = activeKey(recipient);
  if (key === undefined) throw new Error('a new recipient has an active key');
  return {
    ...made,
    sealing: { recipient: recipient.name, kid: key.kid, publicKey: key.publicKey },
    opening: { recipient: recipient.name, kid: key.kid, seed },
  };
}
