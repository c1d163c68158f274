import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import pg from 'pg';
import { CofferError } from '../../core/errors.ts';
import type { RotatorConfig } from '../../operator/config/settings.ts';
import { Postgres } from '../servers/postgres.ts';
import { collect, type LifeOptions, Lives } from './lives.ts';
import { ADMIN, databaseSpec, postgresRotator, prepare, USERS, withSpec } from './rotating.ts';

const HOUR = 3_600_000;
const [ONE, TWO] = USERS;

let server: Postgres;
before(async () => {
  server = await Postgres.start();
});
after(() => server.close());
beforeEach(async () => {
  await server.sql(`DROP ROLE IF EXISTS ${USERS.join(', ')}, app, ${ADMIN.user}`);
  await prepare(server, 'first-password');
});

async function logIn(url: string): Promise<void> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

/** A database whose credential is due, and an operator that may be one of two. */
async function due(t: TestContext) {
  const rule = { every: '1d', rotator: 'payments-db', keepPrevious: '1h' };
  const lives = await Lives.open(t, (stage) => {
    const data = { username: ONE, password: 'first-password' };
    const text = stage.manifest({ namespace: 'payments', name: 'db', data });
    return { 'db.json': withSpec(text, databaseSpec(server, rule)) };
  });
  const rotators = [postgresRotator(lives.stage, server) as RotatorConfig];
  const begin = (options: LifeOptions) => lives.begin({ rotators, ...options });
  const first = await begin({});
  await first.look();
  await first.end();
  lives.clocks.pass(25 * HOUR);
  const steps = async () =>
    (await lives.stage.audit()).flatMap(({ event, step, outcome }) =>
      event === 'rotation.step' && outcome === 'done' ? [step ?? ''] : [],
    );
  const url = async () => (await lives.stage.read('payments/api', 'db', 'DATABASE_URL')) ?? '';
  return { lives, begin, steps, url };
}

test('a leader that lost its lease, and does not know, retires nothing that the one after it has put into use', async (t) => {
  const { lives, begin, steps } = await due(t);
  let leads = true;
  const mayWrite = () => {
    if (!leads) throw new CofferError('KUBERNETES_NOT_LEADER', 'leads no more', { advice: '', loop: 'retry' });
  };
  const former = await begin({ mayWrite });
  for (let look = 0; look < 10 && !(await steps()).includes('projected'); look += 1) await former.look();
  leads = false;
  lives.clocks.pass(2 * HOUR);
  // The next leader has ended that rotation, and in its own puts the former user into use.
  await server.sql(`ALTER ROLE ${ONE} LOGIN PASSWORD 'of-the-next-leader'`);
  for (let look = 0; look < 3; look += 1) {
    await former.look();
    lives.clocks.pass(HOUR);
    await logIn(server.url(ONE, 'of-the-next-leader'));
  }
  assert.ok(!(await steps()).includes('retired'));
  await former.end();
});

for (const [when, isCollected] of [
  ['before it is handed to git', false],
  ['before it counts as landed, where people took it over meanwhile', true],
] as const)
  test(`what another leader verified is tried again ${when}, and put back into use where it fails`, async (t) => {
    const { lives, begin, steps, url } = await due(t);
    const former = await begin({ mayPush: false });
    await former.look();
    await former.look();
    assert.ok((await steps()).includes('verified'));
    await former.end();
    if (isCollected) await collect(lives.stage, lives.stage.path('state', 'proposals', 'values-production.jsonl'));
    // As one does that is about to learn that it leads no more.
    await server.sql(`ALTER ROLE ${TWO} NOLOGIN PASSWORD NULL`);
    const pushes: string[] = [];
    const beforePush = async () => {
      pushes.push(await server.sql(`SELECT rolcanlogin FROM pg_roles WHERE rolname = '${TWO}'`));
    };
    const next = await begin({ mayPush: !isCollected, beforePush });
    for (let look = 0; look < 10 && !(await steps()).includes('landed'); look += 1) await next.look();
    assert.match(await url(), new RegExp(TWO));
    await logIn(await url());
    assert.deepEqual([...new Set(pushes)], isCollected ? [] : ['t']);
    assert.equal((await steps()).filter((step) => step === 'verified').length, 2);
    await next.end();
  });

test('what was published stays where it is until it was tried again', async (t) => {
  const { lives, begin, steps } = await due(t);
  const former = await begin({ mayPush: false });
  await former.look();
  await former.end();
  const file = lives.stage.path('state', 'proposals', 'values-production.jsonl');
  const published = readFileSync(file, 'utf8');
  await server.stop();
  const next = await begin({ mayPush: false });
  await next.look();
  await server.launch();
  lives.clocks.pass(HOUR);
  await next.look();
  assert.equal(readFileSync(file, 'utf8'), published);
  assert.equal((await steps()).filter((step) => step === 'published').length, 1);
  await next.end();
});
