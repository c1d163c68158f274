import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { History } from '../../../test/support/history.ts';
import fc from '../../../test/support/properties.ts';
import { identityOf } from '../../keys/endorsement.ts';
import { type Proposal, type Publisher, proposalParts, readProposal } from '../proposal.ts';
import { PART_LIMIT } from './parts.ts';

let history: History;
let proposal: Proposal;
let publisher: Publisher;
const identitySeed = Buffer.alloc(32, 1);

before(async () => {
  history = await History.begin();
  const files = history.repository();
  const { values } = history.rotated(files, 'one.yaml');
  proposal = { ...history.rewrapped(files), values, fulfils: ['join-0123456789abcdef'] };
  publisher = { id: proposal.id, cluster: proposal.cluster, identity: identityOf(identitySeed) };
});

describe('a published proposal', () => {
  test('is read as it was made, whatever its size and the order of its parts, and no part is too large', () => {
    const [stanza = ''] = [...(proposal.stanzas.values().next().value?.values() ?? [])];
    fc.assert(
      fc.property(
        fc.nat(1500),
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))),
        (count, why) => {
          const id = (index: number) => index.toString(36).padStart(32, '_');
          const stanzas = new Map(
            Array.from({ length: count }, (_, at) => [id(at), new Map([['production', stanza]])]),
          );
          const wanted: Proposal = {
            ...proposal,
            stanzas,
            seeds: new Map([['team', new Map([['0'.repeat(32), stanza]])]]),
            refused: new Map(why),
          };
          const parts = proposalParts(wanted, identitySeed);
          assert.ok(parts.every((part) => Buffer.byteLength(part) <= PART_LIMIT));
          assert.deepEqual(readProposal(parts.toReversed(), publisher), wanted);
          const otherOrder = { ...wanted, stanzas: new Map([...stanzas].toReversed()) };
          assert.deepEqual(proposalParts(otherOrder, identitySeed), parts);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('with a part missing, twice, or of another state is not put together', () => {
    const large = (why: string) =>
      proposalParts(
        { ...proposal, refused: new Map(Array.from({ length: 400 }, (_, at) => [`${at}.yaml`, why.repeat(3000)])) },
        identitySeed,
      );
    const [parts, other] = [large('a'), large('b')];
    assert.ok(parts.length > 2);
    const [first = '', second = '', ...rest] = parts;
    for (const some of [[], [first], [first, first, second, ...rest], [first, other[1] ?? '', ...rest]]) {
      assert.throws(() => readProposal(some, publisher), { code: 'PROPOSAL_PARTS' });
    }
  });

  test('that was changed is refused, in its text and in what it says', () => {
    const changes: [what: string, change: (proposal: Proposal) => object][] = [
      ['an id that leaves the folder', () => ({ id: '../x' })],
      ['a request that leaves the folder', () => ({ fulfils: ['join-/../../x'] })],
      [
        'a path that leaves the repository',
        ({ values }) => ({ values: values.map((one) => ({ ...one, path: '../x.yaml' })) }),
      ],
      ['a path into .git', ({ values }) => ({ values: values.map((one) => ({ ...one, path: '.git/x.yaml' })) })],
      ['plaintext', ({ values }) => ({ values: values.map((one) => ({ ...one, text: 'secret' })) })],
      [
        'a stanza that does not decode',
        ({ stanzas }) => ({
          stanzas: new Map(
            [...stanzas].map(([id, row]) => [
              id,
              new Map([...row].map(([name, text]) => [name, `${text.slice(0, -1)}_`])),
            ]),
          ),
        }),
      ],
      ['a recipient with another name', () => ({ recipient: { name: '../x', text: '' } })],
    ];
    for (const [what, change] of changes) {
      const changed = { ...proposal, ...change(proposal) };
      const parts = proposalParts(changed, identitySeed);
      assert.throws(() => readProposal(parts, { ...publisher, id: changed.id }), { code: 'PROPOSAL_DAMAGED' }, what);
    }
    const [part = ''] = proposalParts(proposal, identitySeed);
    for (const damaged of ['', '[]', 'null', part.replace('status: active', 'status: retired'), part.slice(0, -1)]) {
      assert.throws(() => readProposal([damaged], publisher), { code: 'PROPOSAL_DAMAGED' });
    }
  });

  test('is signed as the format says, by the identity alone', () => {
    const [text = ''] = proposalParts(proposal, identitySeed);
    const part = JSON.parse(text);
    const words = ['coffer/v1/proposal', 'production', proposal.id, sha256(part.text)].map((word) => Buffer.from(word));
    const signed = Buffer.concat([length(words.length), ...words.flatMap((word) => [length(word.length), word])]);
    const x = Buffer.from(publisher.identity).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    assert.ok(verify(null, signed, key, Buffer.from(part.signature, 'base64url')));
  });

  test('that somebody else made, or changed, is refused, however well its digests fit', () => {
    const [text = ''] = proposalParts(proposal, identitySeed);
    const [otherwise = ''] = proposalParts({ ...proposal, fulfils: [] }, identitySeed);
    const [elsewhere = ''] = proposalParts({ ...proposal, cluster: 'staging' }, identitySeed);
    const [other = ''] = proposalParts(proposal, Buffer.alloc(32, 2));
    const genuine = JSON.parse(text);
    const { signature: _, cluster: __, ...unsigned } = genuine;
    const changed = genuine.text.replace('join-0', 'join-1');
    const forgeries: [what: string, code: string, forged: object][] = [
      ['of nobody', 'PROPOSAL_UNSIGNED', unsigned],
      ['of another identity', 'PROPOSAL_IDENTITY', JSON.parse(other)],
      ['of no identity', 'PROPOSAL_IDENTITY', { ...genuine, signature: 'none' }],
      ['changed', 'PROPOSAL_DAMAGED', { ...genuine, text: changed }],
      ['changed with its digest', 'PROPOSAL_IDENTITY', { ...genuine, text: changed, digest: sha256(changed) }],
      [
        'with the signature of another state',
        'PROPOSAL_IDENTITY',
        { ...genuine, signature: JSON.parse(otherwise).signature },
      ],
      ['of another cluster with the same identity', 'PROPOSAL_OTHER', JSON.parse(elsewhere)],
      ['the same, renamed', 'PROPOSAL_IDENTITY', { ...JSON.parse(elsewhere), cluster: 'production' }],
      ['under another id', 'PROPOSAL_OTHER', { ...genuine, proposal: 'values-production' }],
    ];
    assert.notEqual(changed, genuine.text);
    for (const [what, code, forged] of forgeries) {
      assert.throws(() => readProposal([JSON.stringify(forged)], publisher), { code }, what);
    }
    const renamed = JSON.stringify({ ...genuine, proposal: 'values-production' });
    const wanted = { ...publisher, id: 'values-production' };
    assert.throws(() => readProposal([renamed], wanted), { code: 'PROPOSAL_IDENTITY' });
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function length(count: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(count));
  return bytes;
}
