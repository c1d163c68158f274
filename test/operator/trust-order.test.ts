import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { endorseRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import { idOf, openGitSource } from '../../operator/source/open-git-source.ts';
import { acceptancesOf, giveAcceptance } from '../../operator/trust/acceptances.ts';
import type { OperatorProcess } from './site.ts';
import { refuses, TrustSite, takes } from './trust-site.ts';

const ALL = { signers: ['root'], may: ['values', 'type', 'removal', 'keyring', 'rules', 'requests', 'endorse'] };
const GRANTS = { grants: [ALL, { signers: ['ada'], may: ['values', 'type', 'removal', 'requests'] }] };
const OPTIONS = { people: ['root', 'ada'], policy: GRANTS };

function endorsement(commit: string, ...abandons: string[]): Record<string, string> {
  const request = endorseRequest({ commit, abandons, created: '2026-01-01T00:00:00Z' });
  return { [requestFile(request.id)]: renderRequest(request) };
}

/** Two commits, both accepted. */
async function begun(host: TrustSite): Promise<[first: string, second: string]> {
  const first = await host.commit('root', { 'db.yaml': host.manifest('db', 'one') });
  const second = await host.commit('ada', { 'db.yaml': host.manifest('db', 'two') });
  host.configure({ firstCommit: first });
  return [first, second];
}

async function started(host: TrustSite, commit: string): Promise<OperatorProcess> {
  const operator = await host.site.start();
  await operator.line((line) => line.msg === 'projected a commit' && line.commit === commit);
  return operator;
}

const accepted = async (operator: OperatorProcess): Promise<string> => (await operator.status()).sources[0].commit;

describe('what does not follow the accepted commit', () => {
  test('is not taken, until a signer who may endorses it for all operators, or a person accepts it on one', async (t) => {
    const host = await TrustSite.open(t, OPTIONS);
    const other = await TrustSite.open(t, { ...OPTIONS, like: host, cluster: 'staging' });
    const [first, second] = await begun(host);
    other.configure({ firstCommit: first });
    const operators = await Promise.all([started(host, second), started(other, second)]);
    const each = (look: (operator: OperatorProcess) => Promise<void>) => Promise.all(operators.map(look));
    const { tree } = host.site;

    await tree.git('reset', '-q', '--hard', first);
    await each((operator) => refuses(operator, 'TRUST_DIVERGED'));
    const replaced = await host.commit('ada', { 'db.yaml': host.manifest('db', 'three') });
    await each((operator) => refuses(operator, 'TRUST_DIVERGED'));
    // Ada may write, and may ask; to endorse is another right.
    await host.commit('ada', endorsement(replaced, second));
    await each((operator) => refuses(operator, 'TRUST_DIVERGED'));
    assert.equal(host.secret('db'), 'two');
    assert.match(await operators[0].get('/readyz'), /^200/);

    await tree.git('reset', '-q', '--hard', replaced);
    const endorsed = await host.commit('root', endorsement(replaced, second));
    await each((operator) => takes(operator, endorsed));
    assert.equal(host.secret('db'), 'three');
    const [last] = host.site.audit().filter(({ event, commit }) => event === 'commit.accepted' && commit === endorsed);
    assert.deepEqual([last?.basis, last?.endorsement], ['endorsed', endorsed]);

    // An unrelated repository in the place of this one, all signed.
    await tree.git('checkout', '-q', '--orphan', 'new');
    const alien = await host.commit('root', { 'db.yaml': host.manifest('db', 'four') });
    await tree.git('branch', '-q', '-M', 'new', 'main');
    await each((operator) => refuses(operator, 'TRUST_DIVERGED'));
    assert.equal(await host.site.spawn('accept', alien).exit(), 0);
    await takes(operators[0], alien);
    assert.equal(host.secret('db'), 'four');
    await operators[1].wake();
    assert.equal(await accepted(operators[1]), endorsed);
    assert.ok(host.site.audit().some(({ commit, basis }) => commit === alien && basis === 'person'));

    // The word counts once.
    const next = await host.commit('root', { 'db.yaml': host.manifest('db', 'five') });
    await takes(operators[0], next);
    await tree.git('reset', '-q', '--hard', alien);
    await refuses(operators[0], 'TRUST_DIVERGED');
    assert.deepEqual(await Promise.all(operators.map((operator) => operator.end())), [0, 0]);
  });

  test('is not taken either when the clone is lost, or another folder of the repository is configured', async (t) => {
    const host = await TrustSite.open(t, { ...OPTIONS, trust: { perPath: true } });
    const { tree } = host.site;
    const first = await host.commit('root', {
      'a/db.yaml': host.manifest('db', 'one'),
      'a/b/card.yaml': host.manifest('card', 'one'),
    });
    const second = await host.commit('ada', { 'a/db.yaml': host.manifest('db', 'two') });
    const held = await host.commit(undefined, { 'a/b/card.yaml': host.manifest('card', 'stolen') });
    const path = { path: 'a' };
    host.configure({ firstCommit: first }, path);
    const before = await started(host, held);
    await before.end();

    // A server that now shows an older commit, which everything but what was remembered would allow.
    rmSync(host.site.path('state', 'sources'), { recursive: true });
    await tree.git('reset', '-q', '--hard', second);
    const operator = await host.site.start();
    await operator.line(({ code }) => code === 'TRUST_DIVERGED');
    await tree.git('reset', '-q', '--hard', held);
    await takes(operator, held);
    assert.deepEqual([host.secret('db'), host.secret('card')], ['two', 'one']);
    await operator.end();

    host.configure({ firstCommit: first }, { path: 'a/b' });
    await tree.git('reset', '-q', '--hard', second);
    const moved = await host.site.start();
    await moved.line(({ code }) => code === 'SOURCE_REWOUND');
    assert.equal(await moved.end(), 0);
  });
});

test('a person’s word is handed on with what it let in, also by a run after the one that was killed', async (t) => {
  const host = await TrustSite.open(t, OPTIONS);
  const commit = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'one') });
  const state = host.site.path('state');
  const trust = { mode: 'strict', policy: host.site.path('policy.yaml') } as const;
  const config = { url: host.site.tree.directory, trust };
  await giveAcceptance(state, [idOf(config)], commit);
  for (let run = 0; run < 2; run++) {
    const source = await openGitSource(config, state);
    const taken = await source.poll(t.signal);
    assert.deepEqual(taken !== 'unchanged' && [taken.commit, taken.basis], [commit, 'person']);
    await source.close();
  }
  const source = await openGitSource(config, state);
  t.after(() => source.close());
  await source.poll(t.signal);
  const [word] = await acceptancesOf(state, source.id, new Date());
  assert.equal(word?.commit, commit);
  assert.equal(await source.poll(t.signal), 'unchanged');
  assert.deepEqual(await acceptancesOf(state, source.id, new Date()), []);
});
