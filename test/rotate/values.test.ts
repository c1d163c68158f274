import assert from 'node:assert/strict';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { eventually, type Site } from '../operator/site.ts';
import { Postgres } from '../servers/postgres.ts';
import { ADMIN, databaseSpec, openRotating, postgresRotator, prepare, USERS, withSpec } from './rotating.ts';

/** How long the former credential stays: `keepPrevious`. */
const OVERLAP_MS = 1000;

let server: Postgres;
before(async () => {
  server = await Postgres.start();
});
after(() => server.close());
beforeEach(async () => {
  await server.sql(`DROP ROLE IF EXISTS ${USERS.join(', ')}, app, ${ADMIN.user}`);
  await prepare(server, 'first-password');
});

function database(site: Site, rotation: object): string {
  const text = site.manifest({ name: 'db', data: { username: USERS[0], password: 'first-password' } });
  return withSpec(text, databaseSpec(server, rotation));
}

/** Asks the database again and again with what is projected, over new connections and over one that it keeps for as long as it may. */
class Client {
  readonly failures: unknown[] = [];
  queries = 0;
  readonly #url: () => string | undefined;
  #isEnded = false;
  #ended: Promise<void>;

  constructor(url: () => string | undefined) {
    this.#url = url;
    this.#ended = this.#run();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    let kept: { url: string; client: pg.Client } | undefined;
    while (!this.#isEnded) {
      const began = performance.now();
      try {
        const url = this.#url();
        if (url === undefined) throw new Error('nothing is projected');
        if (kept?.url !== url) {
          await kept?.client.end();
          kept = { url, client: new pg.Client(url) };
          await kept.client.connect();
        }
        await kept.client.query('SELECT 1');
        const fresh = new pg.Client(url);
        await fresh.connect();
        await fresh.query('SELECT 1');
        await fresh.end();
        this.queries += 2;
      } catch (error) {
        // The former credential is good for so long: who is slower than that on a busy machine has to read the new one.
        if (performance.now() - began < OVERLAP_MS) this.failures.push(error);
      }
      await setTimeout(40);
    }
    await kept?.client.end();
  }
}

async function open(t: TestContext): Promise<{ site: Site; client: Client; steps: (wanted: string) => number }> {
  const site = await openRotating(t);
  site.configure({ rotation: { rotators: [postgresRotator(site, server)] } });
  await site.tree.commit({
    'db.json': database(site, { every: '1s', rotator: 'payments-db', keepPrevious: `${OVERLAP_MS}ms` }),
  });
  const first = await site.start();
  await first.line(({ msg }) => msg === 'projected a commit');
  const client = new Client(() => site.read('payments/api/db/DATABASE_URL'));
  t.after(() => client.end());
  await first.end();
  return { site, client, steps: (wanted) => site.audit().filter(({ step }) => step === wanted).length };
}

test('ten rotations under a client that keeps querying with what is projected, and never fails', async (t) => {
  const { site, client, steps } = await open(t);
  const operator = await site.start();
  const urls = new Set<string | undefined>();
  for (let rotation = 1; rotation <= 10; rotation += 1) {
    await eventually(() => {
      urls.add(site.read('payments/api/db/DATABASE_URL'));
      assert.ok(steps('done') >= rotation);
    });
  }
  await client.end();
  assert.equal(await operator.end(), 0);
  assert.deepEqual(client.failures, []);
  assert.ok(client.queries > 50, `${client.queries}`);
  const outputs = [
    operator.output,
    await server.log(),
    ...Array.from(site.files(), ({ bytes }) => bytes.toString('latin1')),
  ];
  for (const url of urls) {
    const password = String(/:(\w+)@/.exec(url ?? '')?.[1]);
    assert.ok(password === 'first' || !outputs.some((output) => output.includes(password)));
  }
});

test('kill -9 as soon as a step is told, at every step, under the same client', async (t) => {
  const { site, client, steps } = await open(t);
  for (const step of ['made', 'verified', 'landed', 'projected', 'retired', 'done']) {
    const operator = await site.start();
    await operator.line(({ msg }) => msg === `rotation of password in payments/db: ${step}`);
    await operator.kill();
  }
  const operator = await site.start();
  const before = steps('done');
  await eventually(() => assert.ok(steps('done') > before + 1));
  await client.end();
  await operator.end();
  assert.deepEqual(client.failures, []);
  const both = `rolname IN ('${USERS.join("', '")}')`;
  assert.notEqual(await server.sql(`SELECT count(*) FROM pg_roles WHERE rolcanlogin AND ${both}`), '0');
});
