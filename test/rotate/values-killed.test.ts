import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import type { RotatorConfig } from '../../operator/config/settings.ts';
import type { Stage } from '../operator/stage.ts';
import { Postgres } from '../servers/postgres.ts';
import { Lives } from './lives.ts';
import { databaseSpec, postgresRotator, prepare, USERS, withSpec } from './rotating.ts';

let server: Postgres;
before(async () => {
  server = await Postgres.start();
  await prepare(server, 'first-password');
});
after(() => server.close());

const MINUTE = 60_000;

function database(stage: Stage): string {
  const text = stage.manifest({
    ...{ namespace: 'payments', name: 'db' },
    data: { username: USERS[0], password: 'first-password' },
  });
  return withSpec(text, databaseSpec(server, { every: '4h', rotator: 'payments-db', keepPrevious: '1h' }));
}

async function logIn(url: string | undefined): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('SELECT 1');
  await client.end();
}

/** The operator's rooms in this process; each life ends one record further on, before it or after. */
test('killed at every step, whoever comes next goes on, and what is projected logs in at any time', async (t) => {
  const lives = await Lives.open(t, (stage) => ({ 'db.json': database(stage) }));
  const rotators = [postgresRotator(lives.stage, server) as RotatorConfig];
  const projected = () => lives.stage.read('payments/api', 'db', 'DATABASE_URL');
  const steps = async () =>
    (await lives.stage.audit()).flatMap(({ step, outcome }) => (outcome === 'done' ? (step ?? []) : []));
  const passwords = new Set<string | undefined>();
  let deaths = 0;
  for (let life = 0; ; life += 1) {
    const diesAt = { record: Math.floor(life / 2) + 1, when: life % 2 === 0 ? 'before' : 'after' } as const;
    const operator = await lives.begin({ rotators, diesAt });
    const doneBefore = (await steps()).filter((step) => step === 'done').length;
    let isOver = false;
    for (let look = 0; look < 40 && !operator.isDead && !isOver; look += 1) {
      await operator.look();
      await logIn(await projected());
      passwords.add(await projected());
      // A reader that is half an hour late.
      lives.clocks.pass(31 * MINUTE);
      isOver = (await steps()).filter((step) => step === 'done').length > doneBefore + 1;
    }
    deaths += operator.isDead ? 1 : 0;
    assert.deepEqual(
      operator.rotation.troubles().map(({ code }) => code),
      [],
    );
    await operator.end();
    // This life did two whole rotations before it came to its record.
    if (!operator.isDead) break;
  }
  assert.ok(deaths > 40, `${deaths}`);
  assert.ok(passwords.size > 5);
  // One of the two works, the other is retired.
  assert.equal(
    await server.sql(`SELECT count(*) FROM pg_roles WHERE rolcanlogin AND rolname IN ('${USERS.join("', '")}')`),
    '1',
  );
});
