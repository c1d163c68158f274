import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { eventually, type Site } from '../operator/site.ts';
import { Postgres } from '../servers/postgres.ts';
import { databaseSpec, openRotating, postgresRotator, prepare, USERS, withSpec } from './rotating.ts';

let server: Postgres;
before(async () => {
  server = await Postgres.start();
  await prepare(server, 'first-password');
});
after(() => server.close());

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
        this.failures.push(error);
      }
      await setTimeout(5);
    }
    await kept?.client.end();
  }
}

test('ten rotations under a client that keeps querying with what is projected, and never fails', async (t) => {
  const site = await openRotating(t);
  site.configure({ rotation: { rotators: [postgresRotator(site, server)] } });
  await site.tree.commit({ 'db.json': database(site, { every: '1s', rotator: 'payments-db', keepPrevious: '1s' }) });
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  const client = new Client(() => site.read('payments/api/db/DATABASE_URL'));
  t.after(() => client.end());
  const seen = new Set<string | undefined>();
  for (let rotation = 0; rotation < 10; rotation += 1) {
    await eventually(() => {
      seen.add(site.read('payments/api/db/password'));
      assert.ok(site.audit().filter(({ step }) => step === 'done').length > rotation);
    });
  }
  await client.end();
  await operator.end();
  assert.deepEqual(client.failures, []);
  assert.ok(client.queries > 100, `${client.queries}`);
});
