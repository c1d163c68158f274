import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type GitSourceConfig, openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import { giveAcceptance } from '../../operator/trust/acceptances.ts';
import { type Floor, type FloorStore, Floors } from '../../operator/trust/floors.ts';
import { TrustSite } from './trust-site.ts';

/** A source of a host, without the rest of the operator. */
async function follow(t: TestContext, host: TrustSite, trust: object = {}, stores: FloorStore[] = []) {
  const { site } = host;
  const config: GitSourceConfig = {
    url: site.tree.directory,
    trust: { mode: 'strict', policy: site.path('policy.yaml'), perPath: true, ...trust },
  };
  const state = site.path('state');
  const floors = await Floors.open(stores);
  const source = await openGitSource(config, state, stores.length === 0 ? {} : { floors });
  t.after(() => source.close());
  return { source, folder: join(state, 'sources', source.id), state };
}

/** The commit that is taken, or why none is. */
async function look(source: Source): Promise<string> {
  try {
    const taken = await source.poll(new AbortController().signal);
    return taken === 'unchanged' ? taken : taken.commit;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    throw error;
  }
}

describe('while the policy cannot be read', () => {
  test('its rules for namespaces hold as they were read last, also in the next run', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const firstCommit = await host.commit('ada', { 'one.yaml': host.manifest('one', 'first') });
    const { source } = await follow(t, host, { firstCommit });
    assert.equal(await look(source), firstCommit);
    host.policy({ namespaces: [{ path: '**', namespaces: ['other'] }] });
    assert.equal(await look(source), firstCommit);
    const state = await source.accepted();
    assert.ok(state);
    await source.told(state);
    const allowed = async (one: Source) => (await one.accepted())?.reach.allows('one.yaml', 'payments');
    assert.equal(await allowed(source), false);
    host.replace('policy.yaml', '{');
    assert.equal(await allowed(source), false);
    const { source: next } = await follow(t, host, { firstCommit });
    assert.equal(await allowed(next), false);
    assert.equal(await look(next), 'TRUST_POLICY_KIND');
    host.policy();
    assert.equal(await look(next), firstCommit);
    assert.equal(await allowed(next), true);
  });

  test('and nobody knows of its rules, nothing that was accepted is claimed', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const firstCommit = await host.commit('ada', { 'one.yaml': host.manifest('one', 'first') });
    const { source, folder } = await follow(t, host, { firstCommit });
    await look(source);
    unlinkSync(join(folder, 'namespaces.json'));
    unlinkSync(host.site.path('policy.yaml'));
    const { source: next } = await follow(t, host, { firstCommit });
    assert.equal(await next.accepted(), undefined);
    assert.equal(await look(next), 'TRUST_POLICY_FILE');
    host.policy();
    assert.equal(await look(next), firstCommit);
  });
});

test('a verdict that could not be kept is made again', async (t) => {
  const host = await TrustSite.open(t, { people: ['ada'] });
  const firstCommit = await host.commit('ada', { 'p.yaml': host.manifest('p', 'first') });
  const { source, folder } = await follow(t, host, { firstCommit });
  await look(source);
  host.know('eve');
  const signers = readFileSync(host.site.path('signers'), 'utf8');
  host.replace(
    'signers',
    signers
      .split('\n')
      .filter((line) => !line.startsWith('eve'))
      .join('\n'),
  );
  const second = await host.commit('eve', { 'p.yaml': host.manifest('p', 'second') });
  assert.equal(await look(source), second);
  assert.equal(source.held.length, 1);
  host.replace('signers', signers);
  const file = join(folder, 'trust.json');
  renameSync(file, `${file}.away`);
  mkdirSync(join(file, 'full'), { recursive: true });
  assert.notEqual(await look(source), second);
  rmSync(file, { recursive: true });
  renameSync(`${file}.away`, file);
  assert.equal(await look(source), second);
  assert.equal(source.held.length, 0);
});

test('a word that is given anew for the commit where trust began counts again', async (t) => {
  const host = await TrustSite.open(t, { people: ['ada'] });
  const first = await host.commit('ada', { 'db.yaml': host.manifest('db', 'one') });
  const second = await host.commit('ada', { 'db.yaml': host.manifest('db', 'two') });
  const { source, state } = await follow(t, host);
  assert.equal(await look(source), 'SOURCE_FIRST_COMMIT');
  await giveAcceptance(state, [source.id], first);
  assert.equal(await look(source), second);
  await host.site.tree.git('reset', '-q', '--hard', first);
  // Not by the word that was used, whether or not it was spent.
  assert.equal(await look(source), 'TRUST_DIVERGED');
  await giveAcceptance(state, [source.id], first);
  assert.equal(await look(source), first);
});

test('who may push and not sign cannot make more to be remembered than all floors have room for', async (t) => {
  const host = await TrustSite.open(t, { people: ['ada'] });
  const firstCommit = await host.commit('ada', { 'one.yaml': host.manifest('one', 'first') });
  let floor: Floor | undefined;
  const store: FloorStore = {
    read: async () => [],
    write: async (written) => {
      floor = written;
      return written;
    },
  };
  const { source } = await follow(t, host, { firstCommit }, [store]);
  await look(source);
  const few = await host.commit(undefined, { 'a.yaml': '# nothing\n' });
  assert.equal(await look(source), few);
  const folder = Array.from({ length: 4 }, (_, index) => String(index).repeat(240)).join('/');
  const paths = Array.from({ length: 100 }, (_, index) => `${folder}/${index}.yaml`);
  await host.commit(undefined, Object.fromEntries(paths.map((path) => [path, '# nothing\n'])));
  assert.equal(await look(source), 'TRUST_UNSIGNED');
  assert.equal(floor?.commit, few);
  // All of it is held, and shown so.
  assert.equal(new Set(source.held.map(({ path }) => path)).size, 101);
});
