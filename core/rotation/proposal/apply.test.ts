import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { examples, type Happening, History, happenings } from '../../../test/support/history.ts';
import fc from '../../../test/support/properties.ts';
import { recipientFile } from '../../keys/create.ts';
import { activeKey, readRecipient } from '../../keys/recipient.ts';
import { renderRequest, requestFile, rotateRequest } from '../../requests/request.ts';
import { applyProposal, type Proposal } from '../proposal.ts';

const FILE = recipientFile('production');

describe('a proposal that rewraps to a new key', () => {
  let history: History;

  before(async () => {
    history = await History.begin();
  });

  test('on the state that it was made for changes the recipient’s key and its stanzas, and no other line', async () => {
    const repository = history.repository();
    const proposal = history.rewrapped(repository);
    const after = await applyProposal(proposal, repository);
    assert.deepEqual([...after.keys()].toSorted(), [FILE, ...repository.manifests].toSorted());
    for (const path of repository.manifests) {
      assert.equal(history.withoutStanzas(repository.text(path)), history.withoutStanzas(String(after.get(path))));
    }
  });

  test('fits whatever happened meanwhile: nothing is lost, all that can be is sealed to the new key, and a second time changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happenings, { maxLength: 8 }), async (story: Happening[]) => {
        const repository = history.repository();
        const proposal = history.rewrapped(repository);
        for (const happening of story) await history.happen(repository, happening, proposal);
        const head = repository.copy();
        repository.take(await applyProposal(proposal, repository));
        assert.equal((await applyProposal(proposal, repository)).size, 0, 'a second time');
        assert.deepEqual(repository.paths, head.paths);
        const keys = readRecipient(repository.bytes(FILE), FILE).keys;
        assert.ok(keys.some(({ kid }) => kid === history.newKey.kid));
        assert.deepEqual(history.wordsOfRecipient(repository), history.wordsOfRecipient(head));
        for (const path of head.manifests) {
          assert.equal(history.withoutStanzas(repository.text(path)), history.withoutStanzas(head.text(path)), path);
          assert.deepEqual(history.open(repository, path), history.open(head, path));
        }
        const active = activeKey(readRecipient(repository.bytes(FILE), FILE));
        if (active?.kid !== history.newKey.kid) return;
        for (const [id, kid] of repository.stanzasOf('production')) {
          if (proposal.stanzas.has(id)) assert.equal(kid, history.newKey.kid);
        }
      }),
      { numRuns: 50 + examples.length, examples },
    );
  });

  test('is not applied for a recipient of another identity, and nothing is sealed to its key', async () => {
    const repository = history.repository();
    const proposal = history.rewrapped(repository);
    repository.set(FILE, (await History.begin()).repository().text(FILE));
    assert.equal((await applyProposal(proposal, repository)).size, 0);
  });

  test('takes away the request once the new key is there, and not before', async () => {
    const [repository, { recipient, ...without }] = [history.repository(), history.rewrapped(history.repository())];
    const wish = { recipient: 'production', revoke: false, created: '2026-11-21T09:00:00Z' };
    const request = rotateRequest({ ...wish, key: history.firstKey.kid });
    const path = requestFile(request.id);
    repository.set(path, renderRequest(request));
    const proposal: Proposal = { ...without, fulfils: [request.id, 'rotate-production-0123456789abcdef'] };
    assert.equal((await applyProposal(proposal, repository)).has(path), false);
    assert.ok(recipient);
    const after = await applyProposal({ ...proposal, recipient }, repository);
    assert.deepEqual([after.has(path), after.get(path)], [true, undefined]);
  });

  test('seals the seeds of a group to its member’s new key, in the rows that are there', async () => {
    const repository = history.repository();
    const group = recipientFile('team');
    const before = readRecipient(repository.bytes(group), group).keys[0];
    assert.ok(before);
    const text = `${history.newKey.kid}:${before.seeds.get('production')?.text.slice(33)}`;
    const proposal = history.rewrapped(repository);
    const seeds = (kid: string) => new Map([['team', new Map([[kid, text]])]]);
    const after = await applyProposal({ ...proposal, seeds: seeds(before.kid) }, repository);
    assert.equal(
      String(after.get(group)),
      repository.text(group).replace(/production: "[^"]*"/, `production: "${text}"`),
    );
    for (const other of [
      { ...proposal, seeds: seeds('0'.repeat(32)) },
      { ...proposal, cluster: 'x', seeds: seeds(before.kid) },
    ]) {
      assert.equal((await applyProposal(other, repository)).has(group), false);
    }
  });
});

describe('a proposal with values', () => {
  let history: History;

  before(async () => {
    history = await History.begin();
  });

  test('replaces, adds and removes entries of a manifest together', async () => {
    const repository = history.repository();
    const path = 'one.yaml';
    const proposal = history.rotated(repository, path);
    const values = history.open(repository, path);
    repository.take(await applyProposal(proposal, repository));
    assert.deepEqual(history.open(repository, path), { ...values, password: 'made', 'password.previous': 'value' });
    assert.equal((await applyProposal(proposal, repository)).size, 0);
    const removal: Proposal = {
      ...proposal,
      stanzas: new Map(),
      values: proposal.values
        .filter(({ entry }) => entry === 'password.previous')
        .map(({ text, former, ...value }) => ({ ...value, ...(text === undefined ? {} : { former: text }) })),
    };
    repository.take(await applyProposal(removal, repository));
    assert.deepEqual(history.open(repository, path), { ...values, password: 'made' });
    assert.equal((await applyProposal(removal, repository)).size, 0);
  });

  test('changes nothing of a manifest where one entry was set meanwhile, somebody was listed, or the key was revoked', async () => {
    const happened: Happening[] = [
      { kind: 'set', which: 1 },
      { kind: 'recipient', which: 1 },
      { kind: 'revoke', which: 1 },
      { kind: 'remove', which: 1 },
      { kind: 'break', which: 1 },
    ];
    for (const happening of happened) {
      const repository = history.repository();
      const path = 'one.yaml';
      const proposal = history.rotated(repository, path);
      await history.happen(repository, happening, proposal);
      assert.equal((await applyProposal(proposal, repository)).size, 0, happening.kind);
    }
  });

  test('is in a manifest whole or not at all, whatever happened meanwhile, and a second time changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happenings, { maxLength: 6 }), async (story: Happening[]) => {
        const repository = history.repository();
        const proposal = history.rotated(repository, 'one.yaml');
        for (const happening of story) await history.happen(repository, happening, proposal);
        const head = repository.copy();
        const changed = await applyProposal(proposal, repository);
        repository.take(changed);
        assert.equal((await applyProposal(proposal, repository)).size, 0, 'a second time');
        for (const path of head.manifests) {
          const wanted = { password: 'made', 'password.previous': 'value' };
          const before = history.open(head, path);
          assert.deepEqual(history.open(repository, path), changed.has(path) ? { ...before, ...wanted } : before);
        }
      }),
      { numRuns: 50 + examples.length, examples },
    );
  });
});
