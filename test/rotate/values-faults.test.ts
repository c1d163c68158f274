import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import pg from 'pg';
import type { RotatorConfig } from '../../operator/config/settings.ts';
import type { Stage } from '../operator/stage.ts';
import { Postgres } from '../servers/postgres.ts';
import { damaged } from '../support/damaged.ts';
import { collect, type Life, Lives } from './lives.ts';
import { ADMIN, databaseSpec, postgresRotator, prepare, USERS, withSpec } from './rotating.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RULE = { every: '1d', rotator: 'payments-db', keepPrevious: '1h' };

let server: Postgres;
before(async () => {
  server = await Postgres.start();
});
after(() => server.close());
beforeEach(async () => {
  await server.sql(`DROP ROLE IF EXISTS ${USERS.join(', ')}, app, ${ADMIN.user}`);
  await prepare(server, 'first-password');
});

function database(stage: Stage): Record<string, string> {
  const data = { username: USERS[0], password: 'first-password' };
  const text = stage.manifest({ namespace: 'payments', name: 'db', data });
  return { 'db.json': withSpec(text, databaseSpec(server, RULE)) };
}

/** At a time when its one credential is due. */
async function due(t: TestContext): Promise<{ lives: Lives; rotators: RotatorConfig[] }> {
  const lives = await Lives.open(t, database);
  const operator = await lives.begin();
  await operator.look();
  await operator.end();
  lives.clocks.pass(25 * HOUR);
  return { lives, rotators: [postgresRotator(lives.stage, server) as RotatorConfig] };
}

const urlOf = ({ stage }: Lives) => stage.read('payments/api', 'db', 'DATABASE_URL');

async function logIn(url: string | undefined): Promise<void> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

async function stepsOf({ stage }: Lives): Promise<string[]> {
  const records = await stage.audit();
  return records.flatMap(({ event, step, outcome }) =>
    event === 'rotation.step' && outcome === 'done' ? [step ?? ''] : [],
  );
}

async function lookUntil(lives: Lives, operator: Life, step: string): Promise<void> {
  for (let look = 0; look < 20; look += 1) {
    await operator.look();
    await logIn(await urlOf(lives));
    if ((await stepsOf(lives)).includes(step)) return;
    lives.clocks.pass(10 * MINUTE);
  }
  assert.fail(
    `no step ${step}: ${await stepsOf(lives)}; ${operator.rotation.troubles().map(({ message }) => message)}`,
  );
}

test('while the database is down, or its administrator is refused, all stays; then the rotation goes on', async (t) => {
  const { lives, rotators } = await due(t);
  const operator = await lives.begin({ rotators });
  await server.stop();
  await operator.look();
  assert.deepEqual(
    operator.rotation.troubles().map(({ code }) => code),
    ['ROTATOR_UNREACHABLE'],
  );
  assert.deepEqual(operator.rotation.status().rotations, { due: 1, underway: 1, failed: 1, done: 0 });
  await server.launch();
  await server.sql(`ALTER ROLE ${ADMIN.user} PASSWORD 'another'`);
  lives.clocks.pass(10 * MINUTE);
  await operator.look();
  assert.deepEqual(
    operator.rotation.troubles().map(({ code }) => code),
    ['ROTATOR_LOGIN_REFUSED'],
  );
  const failed = (await lives.stage.audit()).filter(
    ({ event, outcome }) => event === 'rotation.step' && outcome === 'failed',
  );
  assert.deepEqual(
    failed.map(({ code }) => code),
    ['ROTATOR_UNREACHABLE', 'ROTATOR_LOGIN_REFUSED'],
  );
  await logIn(await urlOf(lives));
  await server.sql(`ALTER ROLE ${ADMIN.user} PASSWORD '${ADMIN.password}'`);
  await lookUntil(lives, operator, 'done');
  assert.deepEqual(operator.rotation.troubles(), []);
  await operator.end();
});

test('a push that loses a race is made again upon what won it, and a value that somebody set meanwhile stays', async (t) => {
  const { lives, rotators } = await due(t);
  const { tree, stage } = { tree: lives.stage.tree, stage: lives.stage };
  const others = [
    () => tree.commit({ 'other.txt': 'first' }),
    () =>
      tree.commit({
        'db.json': withSpec(readFileSync(join(tree.directory, 'db.json'), 'utf8'), { deletionPolicy: 'Retain' }),
      }),
  ];
  const operator = await lives.begin({ rotators, beforePush: async () => others.shift()?.() });
  await lookUntil(lives, operator, 'done');
  assert.equal(others.length, 0);
  assert.match(readFileSync(join(tree.directory, 'db.json'), 'utf8'), /Retain/);
  assert.ok(existsSync(join(tree.directory, 'other.txt')));

  lives.clocks.pass(25 * HOUR);
  const url = await urlOf(lives);
  const user = String(/\/\/(\w+):/.exec(url ?? '')?.[1]);
  await server.sql(`ALTER ROLE ${user} PASSWORD 'set-by-hand'`);
  const text = stage.manifest({ namespace: 'payments', name: 'db', data: { username: user, password: 'set-by-hand' } });
  others.push(() => tree.commit({ 'db.json': withSpec(text, databaseSpec(server, RULE)) }));
  await operator.look();
  await operator.look();
  assert.ok((await stepsOf(lives)).includes('superseded'));
  assert.match((await urlOf(lives)) ?? '', /set-by-hand/);
  await logIn(await urlOf(lives));
  await operator.end();
});

test('where the operator may not push, it publishes, and goes on when somebody collected', async (t) => {
  const { lives, rotators } = await due(t);
  const operator = await lives.begin({ rotators, mayPush: false });
  const before = await urlOf(lives);
  const published = lives.stage.path('state', 'proposals', 'values-production.jsonl');
  for (const look of [1, 2, 3]) {
    await operator.look();
    lives.clocks.pass(look * HOUR);
  }
  assert.equal(await urlOf(lives), before);
  assert.equal((await stepsOf(lives)).filter((step) => step === 'published').length, 1);

  await collect(lives.stage, published);
  await operator.look();
  assert.notEqual(await urlOf(lives), before);
  await logIn(before);
  await logIn(await urlOf(lives));
  await operator.look();
  lives.clocks.pass(61 * MINUTE);
  await operator.look();
  await assert.rejects(logIn(before), { code: '28P01' });
  await collect(lives.stage, published);
  await operator.look();
  assert.equal((await stepsOf(lives)).at(-1), 'done');
  assert.equal(await lives.stage.read('payments/api', 'db', 'password.previous'), undefined);
  assert.equal(existsSync(published), false);
  await operator.end();
});

test('a clock that jumps shortens no overlap', async (t) => {
  const { lives, rotators } = await due(t);
  const operator = await lives.begin({ rotators });
  const before = await urlOf(lives);
  await lookUntil(lives, operator, 'projected');
  for (const jump of [365 * 24 * HOUR, -730 * 24 * HOUR, 24 * HOUR]) {
    lives.clocks.wall += jump;
    await operator.look();
    await logIn(before);
  }
  lives.clocks.pass(61 * MINUTE);
  await operator.look();
  await assert.rejects(logIn(before), { code: '28P01' });
  await operator.end();
});

test('when the state directory is lost in an overlap, the former user is retired all the same, after a whole overlap', async (t) => {
  const { lives, rotators } = await due(t);
  const before = await urlOf(lives);
  const first = await lives.begin({ rotators });
  await lookUntil(lives, first, 'projected');
  await first.end();
  await lives.stage.forgetState();
  const second = await lives.begin({ rotators });
  await second.look();
  await second.look();
  assert.ok((await stepsOf(lives)).includes('recovered'));
  lives.clocks.pass(50 * MINUTE);
  await second.look();
  await logIn(before);
  lives.clocks.pass(11 * MINUTE);
  await second.look();
  await assert.rejects(logIn(before), { code: '28P01' });
  await logIn(await urlOf(lives));
  await second.end();
});

test('while what is projected is older than what is accepted, the user that it uses is not touched', async (t) => {
  const { lives, rotators } = await due(t);
  const { stage } = lives;
  const before = await urlOf(lives);
  await server.sql(`ALTER ROLE ${USERS[1]} LOGIN PASSWORD 'second-password'`);
  const data = { username: USERS[1], password: 'second-password', extra: 'x' };
  const text = stage.manifest({ namespace: 'payments', name: 'db', data });
  await stage.tree.commit({ 'db.json': withSpec(damaged(text, '"extra"'), databaseSpec(server, RULE)) });
  const operator = await lives.begin({ rotators });
  for (let look = 0; look < 4; look += 1) {
    await operator.look();
    lives.clocks.pass(13 * HOUR);
  }
  assert.ok((await stepsOf(lives)).includes('made'));
  assert.equal(await urlOf(lives), before);
  await logIn(before);
  const { extra: _, ...sound } = JSON.parse(text).spec.data;
  await stage.tree.commit({ 'db.json': withSpec(text, { ...databaseSpec(server, RULE), data: sound }) });
  await lookUntil(lives, operator, 'done');
  await assert.rejects(logIn(before), { code: '28P01' });
  await operator.end();
});

test('a manifest that is sealed anew in an overlap, with the same values, is still the rotation’s', async (t) => {
  const { lives, rotators } = await due(t);
  const { stage } = lives;
  const before = await urlOf(lives);
  const operator = await lives.begin({ rotators });
  await lookUntil(lives, operator, 'projected');
  const entries = ['username', 'username.previous', 'password', 'password.previous'];
  const values = await Promise.all(
    entries.map(async (entry) => [entry, await stage.read('payments/api', 'db', entry)] as const),
  );
  const data = Object.fromEntries(values.map(([entry, value]) => [entry, value ?? '']));
  const text = stage.manifest({ namespace: 'payments', name: 'db', data });
  await stage.tree.commit({ 'db.json': withSpec(text, databaseSpec(server, RULE)) });
  await operator.look();
  const { length } = await stage.audit();
  for (let look = 0; look < 3; look += 1) await operator.look();
  assert.equal((await stage.audit()).length, length, 'nothing is opened again to be compared');
  await lookUntil(lives, operator, 'done');
  assert.ok(!(await stepsOf(lives)).includes('superseded'));
  await assert.rejects(logIn(before), { code: '28P01' });
  await operator.end();
});
