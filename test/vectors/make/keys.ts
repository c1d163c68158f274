import { endorse } from '../../../core/keys/endorsement.ts';
import { identitySecretText, identityText, publicKeyText, secretKeyText } from '../../../core/keys/key-texts.ts';
import { type Cast, CREATED, type Player } from './cast.ts';
import { dirtyEnd, flipped } from './changes.ts';

export function keys(players: Cast): object {
  const { production, staging } = players;
  return {
    recipients: [production, staging, players.alice].map(described),
    texts: { mustRefuse: refusedTexts(production) },
    endorsements: { mustRefuse: refusedEndorsements(production, staging) },
  };
}

function described({ recipient, seed, identitySeed, sealing }: Player): object {
  return {
    name: recipient.name,
    created: CREATED,
    seed: seed.toString('hex'),
    secretKeyText: secretKeyText(seed).toString('latin1'),
    publicKeyText: publicKeyText(sealing.publicKey),
    kid: sealing.kid,
    identitySeed: identitySeed.toString('hex'),
    identitySecretText: identitySecretText(identitySeed).toString('latin1'),
    identityText: identityText(recipient.identity),
    endorsement: recipient.keys[0]?.endorsement,
  };
}

function refusedTexts({ seed, recipient, identitySeed, sealing }: Player): object[] {
  const secret = secretKeyText(seed).toString('latin1');
  const identity = identityText(recipient.identity);
  const identitySecret = identitySecretText(identitySeed).toString('latin1');
  const publicKey = publicKeyText(sealing.publicKey);
  const mistyped = [
    ['secret', changedAt(secret, 20), 'one character changed'],
    ['secret', swappedAt(secret, 20), 'two neighbours swapped'],
    ['secret', secret.slice(0, -1), 'one character short'],
    ['secret', `${secret}A`, 'one character more'],
    ['secret', `${secret}\n`, 'a line end'],
    ['secret', `${secret}=`, 'padding'],
    ['secret', 'COFFER-SECRET-1-', 'nothing after the prefix'],
    ['identity', changedAt(identity, 25), 'one character changed'],
    ['identity', identity.replace(/.$/, '+'), 'the alphabet of standard base64'],
    ['identity', `${identity} `, 'a space at the end'],
    ['identity-secret', changedAt(identitySecret, 30), 'one character changed'],
    ['public', changedAt(publicKey, 900), 'one character changed'],
    ['public', `${publicKey.slice(0, 100)}\n${publicKey.slice(100)}`, 'a line end within'],
    ['public', dirtyEnd(publicKey), 'the last character has bits of no byte'],
    [
      'secret',
      `COFFER-SECRET-1-${identitySecret.slice('COFFER-IDENTITY-1-'.length)}`,
      "another kind's bytes and check",
    ],
  ].map(([kind, text, why]) => ({ why, code: 'KEY_TEXT_MISTYPED', kind, text }));
  const otherKinds = [
    ['public', secret, 'a secret key where a public one is expected'],
    ['secret', publicKey, 'a public key where a secret one is expected'],
    ['identity', identitySecret, "an identity's secret where the identity is expected"],
    ['secret', secret.toLowerCase(), 'in lower case'],
    ['secret', secret.replace('-1-', '-2-'), 'another version'],
    ['secret', '', 'empty'],
  ].map(([kind, text, why]) => ({ why, code: 'KEY_TEXT_KIND', kind, text }));
  return [...mistyped, ...otherKinds];
}

function refusedEndorsements(production: Player, staging: Player): object[] {
  const good = {
    identityText: identityText(production.recipient.identity),
    recipient: 'production',
    kid: production.sealing.kid,
    created: CREATED,
    endorsement: production.recipient.keys[0]?.endorsement ?? '',
  };
  const signature = Buffer.from(good.endorsement, 'base64url');
  return [
    { why: 'by another identity', ...good, identityText: identityText(staging.recipient.identity) },
    { why: 'of another recipient', ...good, recipient: 'staging' },
    { why: 'of another key', ...good, kid: staging.sealing.kid },
    { why: 'of another time', ...good, created: '2026-11-21T09:00:01Z' },
    { why: 'one bit of R changed', ...good, endorsement: flipped(signature, 0).toString('base64url') },
    { why: 'one bit of S changed', ...good, endorsement: flipped(signature, 40).toString('base64url') },
    { why: 'S not reduced', ...good, endorsement: withUnreducedS(signature).toString('base64url') },
    { why: 'too short', ...good, endorsement: good.endorsement.slice(0, -2) },
    { why: 'with padding', ...good, endorsement: `${good.endorsement}==` },
    { why: 'bits of no byte at the end', ...good, endorsement: dirtyEnd(good.endorsement) },
    {
      why: 'signed by an identity of low order',
      ...good,
      identityText: identityText(Buffer.from(`01${'00'.repeat(31)}`, 'hex')),
      endorsement: Buffer.concat([Buffer.from(`01${'00'.repeat(31)}`, 'hex'), Buffer.alloc(32)]).toString('base64url'),
    },
    {
      why: 'of a text joined otherwise',
      ...good,
      endorsement: endorse(production.identitySeed, `production${good.kid}`, '', CREATED),
    },
  ];
}

/** S + L: the same signature to a verifier that does not check S < L. */
function withUnreducedS(signature: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()]);
}

function changedAt(text: string, index: number): string {
  return text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1);
}

function swappedAt(text: string, index: number): string {
  let at = index;
  while (text[at] === text[at + 1]) at += 1;
  return text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
}
