import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { type GitSourceConfig, openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import { giveAcceptance } from '../../operator/trust/acceptances.ts';
import { type Floor, FloorFile, type FloorStore, Floors } from '../../operator/trust/floors.ts';
import { TrustSite } from './trust-site.ts';
import { code, commitOf, Watching } from './watching.ts';

/** What a cluster remembers for all replicas; it may be away. */
class ClusterMemory implements FloorStore {
  readonly floors = new Map<string, Floor>();
  isAway = false;

  async read(): Promise<Floor[]> {
    return [...this.floors.values()];
  }

  async write(floor: Floor): Promise<Floor> {
    if (this.isAway) throw new CofferError('KUBERNETES_UNREACHABLE', 'away', { advice: 'Wait.', loop: 'retry' });
    const there = this.floors.get(floor.source);
    if (there !== undefined && there.generation > floor.generation) return there;
    this.floors.set(floor.source, floor);
    return floor;
  }

  get commit(): string | undefined {
    return [...this.floors.values()][0]?.commit;
  }
}

/** A replica that leads from now on; `clock` is its own. */
async function lead(
  t: TestContext,
  state: string,
  config: GitSourceConfig,
  cluster: FloorStore,
  clock = 0,
): Promise<Source> {
  const floors = await Floors.open([new FloorFile(state), cluster]);
  const now = () => new Date(Date.now() + clock);
  const source = await openGitSource(config, state, { floors, now });
  t.after(() => source.close());
  return source;
}

const HOUR = 3_600_000;

describe('a replica that takes over', () => {
  test('does not go back to what it accepted itself, whatever the clocks say and the server shows', async (t) => {
    const bench = await Watching.open(t);
    const cluster = new ClusterMemory();
    const config = { url: bench.tree.directory };
    const [a, b] = [join(bench.root, 'a'), join(bench.root, 'b')];
    const one = await bench.tree.commit({ a: '1' });
    // A's clock is an hour ahead.
    assert.equal(await commitOf(await lead(t, a, config, cluster, HOUR)), one);
    assert.equal(await commitOf(await lead(t, b, config, cluster)), one);
    const two = await bench.tree.commit({ a: '2' });
    assert.equal(await commitOf(await lead(t, b, config, cluster)), two);
    await bench.tree.git('reset', '-q', '--hard', one);
    await assert.rejects(commitOf(await lead(t, a, config, cluster, HOUR)), code('SOURCE_REWOUND'));
    const fork = await bench.tree.commit({ a: 'fork' });
    const again = await lead(t, a, config, cluster, HOUR);
    await assert.rejects(commitOf(again), code('SOURCE_REWOUND'));
    assert.equal(again.isSettled, false);
    assert.equal(cluster.commit, two);
    await bench.tree.git('merge', '-q', '-s', 'ours', '-m', 'both', two);
    assert.notEqual(await commitOf(await lead(t, a, config, cluster, HOUR)), fork);
  });

  test('is told of what was accepted while the cluster could not be written, also after a restart', async (t) => {
    const bench = await Watching.open(t);
    const cluster = new ClusterMemory();
    const config = { url: bench.tree.directory };
    const state = join(bench.root, 'a');
    const one = await bench.tree.commit({ a: '1' });
    await commitOf(await lead(t, state, config, cluster));
    cluster.isAway = true;
    const two = await bench.tree.commit({ a: '2' });
    const source = await lead(t, state, config, cluster);
    assert.equal(await commitOf(source), two);
    assert.deepEqual([source.trouble?.code, cluster.commit], ['KUBERNETES_UNREACHABLE', one]);
    const restarted = await lead(t, state, config, cluster);
    assert.equal(await commitOf(restarted), 'unchanged');
    assert.equal(restarted.trouble?.code, 'KUBERNETES_UNREACHABLE');
    cluster.isAway = false;
    await commitOf(restarted);
    assert.deepEqual([restarted.trouble, cluster.commit], [undefined, two]);
  });

  test('is not taken back by whoever writes an old commit into the cluster, as long as it has its own state', async (t) => {
    const bench = await Watching.open(t);
    const cluster = new ClusterMemory();
    const config = { url: bench.tree.directory };
    const state = join(bench.root, 'a');
    const one = await bench.tree.commit({ a: '1' });
    await commitOf(await lead(t, state, config, cluster));
    const two = await bench.tree.commit({ a: '2' });
    await commitOf(await lead(t, state, config, cluster));
    for (const [source, floor] of cluster.floors)
      cluster.floors.set(source, { ...floor, commit: one, generation: 999 });
    await bench.tree.git('reset', '-q', '--hard', one);
    await assert.rejects(commitOf(await lead(t, state, config, cluster)), code('SOURCE_REWOUND'));
    assert.equal(cluster.commit, two);
  });

  test('has the newer verdict on the commit that it knows by an older', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const { site } = host;
    const cluster = new ClusterMemory();
    const first = await host.commit('ada', { 'db.yaml': host.manifest('db', 'one') });
    const unsigned = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'two') });
    const trust = { mode: 'strict', perPath: true, policy: site.path('policy.yaml'), firstCommit: first } as const;
    const config = { url: site.tree.directory, trust };
    const [a, b] = [site.path('a'), site.path('b')];
    for (const state of [a, b]) assert.equal(await commitOf(await lead(t, state, config, cluster)), unsigned);
    const leading = await lead(t, a, config, cluster);
    await giveAcceptance(a, [leading.id], unsigned);
    assert.equal(await commitOf(leading), unsigned);
    assert.deepEqual(leading.held, []);
    const next = await lead(t, b, config, cluster);
    assert.notEqual((await next.accepted())?.held.length, 0);
    assert.equal(await commitOf(next), unsigned);
    assert.deepEqual((await next.accepted())?.held, []);
    assert.deepEqual(Object.keys([...cluster.floors.values()][0]?.held ?? { none: null }), []);
  });
});

describe('a file that is lost', () => {
  test('lets in nothing that was held back, and what was is found out again', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const { site } = host;
    const good = host.manifest('db', 'one');
    const first = await host.commit('ada', { 'db.yaml': good });
    const unsigned = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'two') });
    const trust = { mode: 'strict', perPath: true, policy: site.path('policy.yaml'), firstCommit: first } as const;
    const config = { url: site.tree.directory, trust };
    const state = site.path('state');
    const cluster = new ClusterMemory();
    const holds = async (source: Source) => {
      const entry = await source.repository.entryAt((await source.accepted())?.tree ?? '', 'db.yaml');
      assert.equal(String(await source.repository.readBlob(entry?.oid ?? '')), good);
      assert.deepEqual(new Set(source.held.map(({ path }) => path)), new Set(['db.yaml']));
    };
    const before = await lead(t, state, config, cluster);
    assert.equal(await commitOf(before), unsigned);
    rmSync(join(state, 'sources', before.id, 'trust.json'));
    const after = await lead(t, state, config, cluster);
    assert.equal(await after.accepted(), undefined);
    assert.equal(await commitOf(after), unsigned);
    await holds(after);
    // Without the floors nobody knows any more: it is as if nobody had had to sign, and trust begins anew.
    for (const name of ['accepted.json', join('sources', before.id, 'trust.json')]) rmSync(join(state, name));
    const anew = await lead(t, state, config, new ClusterMemory());
    assert.equal(await commitOf(anew), unsigned);
    await holds(anew);
  });
});

test('a run that was killed before the audit log had a commit hands it on again, with what it returned', async (t) => {
  const bench = await Watching.open(t);
  const config = { url: bench.tree.directory };
  const state = join(bench.root, 'a');
  await bench.tree.commit({ a: '1' });
  const cluster = new ClusterMemory();
  const killed = await lead(t, state, config, cluster);
  const taken = await killed.poll(t.signal);
  assert.ok(taken !== 'unchanged' && !taken.isTold);
  const next = await lead(t, state, config, cluster);
  const again = await next.poll(t.signal);
  assert.ok(again !== 'unchanged' && !again.isTold);
  assert.deepEqual([again.commit, again.basis, again.returns], [taken.commit, taken.basis, taken.returns]);
  await next.told(again);
  assert.equal(await next.poll(t.signal), 'unchanged');
  assert.equal(await (await lead(t, state, config, cluster)).poll(t.signal), 'unchanged');
});
