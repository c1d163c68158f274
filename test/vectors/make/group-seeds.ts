import type { OpeningKey } from '../../../core/format/sealed/stanza.ts';
import { sealGroupSeed } from '../../../core/keys/group.ts';
import type { Cast } from './cast.ts';
import { flipped } from './changes.ts';
import { randomFrom, recordedRandom } from './random.ts';

export function groupSeeds({ production, staging, alice, team }: Cast): object {
  const group = { name: 'team', kid: team.sealing.kid };
  const { random, drawn } = recordedRandom('group seed');
  const sealed = sealGroupSeed(team.seed, group, alice.sealing, random);
  const [kid = '', text = ''] = sealed.split(':');
  const refused: [string, string, { name: string; kid: string }, OpeningKey, string][] = [
    ['moved to another group', 'GROUP_SEED_REFUSED', { ...group, name: 'staff' }, alice.opening, sealed],
    [
      'moved to another key of the group',
      'GROUP_SEED_REFUSED',
      { ...group, kid: staging.sealing.kid },
      alice.opening,
      sealed,
    ],
    ['moved to another member', 'GROUP_SEED_REFUSED', group, { ...alice.opening, recipient: 'bob' }, sealed],
    ['one bit changed', 'GROUP_SEED_REFUSED', group, alice.opening, `${kid}:${changed(text)}`],
    ["sealed to a key that is not the opener's", 'STANZA_OTHER_KEY', group, production.opening, sealed],
    [
      "holds a seed that is not the group key's",
      'GROUP_SEED_WRONG',
      group,
      alice.opening,
      sealGroupSeed(staging.seed, group, alice.sealing, randomFrom('wrong seed')),
    ],
    ['not well-formed', 'STANZA_MALFORMED', group, alice.opening, `${sealed}=`],
  ];
  return {
    mustOpen: [
      { ...context(group, alice.opening), groupSeed: team.seed.toString('hex'), encapsulationSeed: drawn()[0], sealed },
    ],
    mustRefuse: refused.map(([why, code, of, member, row]) => ({ why, code, ...context(of, member), sealed: row })),
  };
}

function context(group: { name: string; kid: string }, member: OpeningKey): object {
  return {
    group: group.name,
    groupKid: group.kid,
    member: member.recipient,
    memberKid: member.kid,
    memberSeed: Buffer.from(member.seed).toString('hex'),
  };
}

function changed(text: string): string {
  return flipped(Buffer.from(text, 'base64url'), 700).toString('base64url');
}
