import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { History } from '../../../test/support/history.ts';
import { type Proposal, proposalParts, readProposal } from '../proposal.ts';
import { PART_LIMIT } from './parts.ts';

let history: History;
let proposal: Proposal;

before(async () => {
  history = await History.begin();
  const files = history.repository();
  const { values } = history.rotated(files, 'one.yaml');
  proposal = { ...history.rewrapped(files), values, fulfils: ['join-0123456789abcdef'] };
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
          const parts = proposalParts(wanted);
          assert.ok(parts.every((part) => Buffer.byteLength(part) <= PART_LIMIT));
          assert.deepEqual(readProposal(parts.toReversed()), wanted);
          assert.deepEqual(proposalParts({ ...wanted, stanzas: new Map([...stanzas].toReversed()) }), parts);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('with a part missing, twice, or of another state is not put together', () => {
    const large = (why: string) =>
      proposalParts({
        ...proposal,
        refused: new Map(Array.from({ length: 400 }, (_, at) => [`${at}.yaml`, why.repeat(3000)])),
      });
    const [parts, other] = [large('a'), large('b')];
    assert.ok(parts.length > 2);
    const [first = '', second = '', ...rest] = parts;
    for (const some of [[], [first], [first, first, second, ...rest], [first, other[1] ?? '', ...rest]]) {
      assert.throws(() => readProposal(some), { code: 'PROPOSAL_PARTS' });
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
      const parts = proposalParts({ ...proposal, ...change(proposal) });
      assert.throws(() => readProposal(parts), { code: 'PROPOSAL_DAMAGED' }, what);
    }
    const [part = ''] = proposalParts(proposal);
    for (const damaged of ['', '[]', 'null', part.replace('status: active', 'status: retired'), part.slice(0, -1)]) {
      assert.throws(() => readProposal([damaged]), { code: 'PROPOSAL_DAMAGED' });
    }
  });
});
