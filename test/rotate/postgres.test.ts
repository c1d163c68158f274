import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import pg from 'pg';
import { withConnection } from '../../operator/rotate/rotators/postgres/connection.ts';
import { PostgresRotator } from '../../operator/rotate/rotators/postgres/postgres-rotator.ts';
import type { Change } from '../../operator/rotate/rotators/rotator.ts';
import { Authority } from '../servers/certificates.ts';
import { Postgres } from '../servers/postgres.ts';

const ADMIN = { user: 'coffer_admin', password: 'of the admin' };
/** Names that break out of every quoting but the right one. */
const USERS = ['app "one"; DROP ROLE app; --', "app 'zwei' $$ü"] as const;
const [ONE, TWO] = USERS;
const [Q1, Q2] = USERS.map((name) => `"${name.replaceAll('"', '""')}"`) as [string, string];
const SIGNAL = new AbortController().signal;

/** As docs/rotation.md tells people to do it. */
const SETUP = `
  CREATE ROLE ${ADMIN.user} LOGIN CREATEROLE PASSWORD '${ADMIN.password}';
  CREATE ROLE app NOLOGIN;
  CREATE ROLE ${Q1} LOGIN IN ROLE app PASSWORD 'first-password'; ALTER ROLE ${Q1} SET role TO app;
  CREATE ROLE ${Q2} NOLOGIN IN ROLE app; ALTER ROLE ${Q2} SET role TO app;`;

let server: Postgres;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coffer-rotator-'));
  server = await Postgres.start();
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await server.sql(`
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename IN ('${ADMIN.user}', $$${ONE}$$, $u$${TWO}$u$)`);
  await server.sql(`DROP TABLE IF EXISTS owned; DROP ROLE IF EXISTS ${Q1}, ${Q2}, app, ${ADMIN.user}`);
  await server.sql(SETUP);
});

async function rotatorOf(url: string, more: { caFile?: string } = {}): Promise<PostgresRotator> {
  const urlFile = join(folder, 'url');
  await writeFile(urlFile, `${url}\n`);
  const entries = { username: 'username', password: 'password' };
  return new PostgresRotator('payments-db', { urlFile, users: [...USERS], entries, ...more });
}

const admin = () => rotatorOf(server.url(ADMIN.user, ADMIN.password));
const credential = (user: string, password: string) =>
  new Map([
    ['username', Buffer.from(user)],
    ['password', Buffer.from(password)],
  ]);

async function logIn(change: ReadonlyMap<string, Buffer>): Promise<pg.Client> {
  const [user, password] = [String(change.get('username')), String(change.get('password'))];
  const { port } = server;
  const client = new pg.Client({ user, password, host: '127.0.0.1', port, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

test('two users take turns: the next logs in and is verified while the former goes on, until it is retired', async () => {
  const rotator = await admin();
  const watching = await logIn(credential(ADMIN.user, ADMIN.password));
  let former: ReadonlyMap<string, Buffer> = credential(ONE, 'first-password');
  for (const user of [TWO, ONE, TWO]) {
    const change: Change = { former, next: rotator.next(former) };
    assert.equal(String(change.next.get('username')), user);
    await rotator.install(change, SIGNAL);
    await rotator.verify(change, SIGNAL);
    const { rows: left } = await watching.query('SELECT 1 FROM pg_stat_activity WHERE usename = $1', [user]);
    assert.deepEqual(left, [], 'a session of its own would be taken for somebody else’s');
    const [old, fresh] = [await logIn(former), await logIn(change.next)];
    const { rows } = await fresh.query('SELECT session_user, current_user');
    assert.deepEqual(rows, [{ session_user: user, current_user: 'app' }]);
    await old.end();
    await fresh.end();

    // Each step may come again after a crash.
    await rotator.install(change, SIGNAL);
    assert.deepEqual(await rotator.retire(change, { isExposed: false }, SIGNAL), {});
    assert.deepEqual(await rotator.retire(change, { isExposed: false }, SIGNAL), {});
    await assert.rejects(logIn(former), { code: '28P01' });
    await (await logIn(change.next)).end();
    former = change.next;
  }
  await watching.end();
});

test('no password reaches the server’s log or statements, though it logs all of them', async () => {
  const former = credential(ONE, 'first-password');
  const rotator = await admin();
  const change = { former, next: rotator.next(former) };
  await rotator.install(change, SIGNAL);
  await rotator.verify(change, SIGNAL);
  await assert.rejects(rotator.verify({ former, next: credential(TWO, 'wrong-canary') }, SIGNAL));
  await rotator.retire(change, { isExposed: true }, SIGNAL);
  const log = await server.log();
  assert.match(log, /ALTER ROLE "app 'zwei' \$\$ü" LOGIN PASSWORD 'SCRAM-SHA-256\$4096:/);
  assert.match(log, /password authentication failed/);
  for (const password of [String(change.next.get('password')), 'wrong-canary']) assert.ok(!log.includes(password));
});

test('who owns the database does not decide what the administrator’s session calls', async () => {
  await server.sql(`
    CREATE SCHEMA evil;
    CREATE VIEW evil.pg_roles AS SELECT * FROM pg_catalog.pg_roles WHERE false;
    GRANT USAGE ON SCHEMA evil TO public; GRANT SELECT ON evil.pg_roles TO public;
    ALTER DATABASE postgres SET search_path TO evil, pg_catalog`);
  try {
    const rotator = await admin();
    const former = credential(ONE, 'first-password');
    await rotator.install({ former, next: rotator.next(former) }, SIGNAL);
  } finally {
    await server.sql('ALTER DATABASE postgres RESET search_path; DROP SCHEMA evil CASCADE');
  }
});

test('a former session goes on after the retirement, and is ended where the credential was exposed', async () => {
  const rotator = await admin();
  const former = credential(ONE, 'first-password');
  const change = { former, next: rotator.next(former) };
  await rotator.install(change, SIGNAL);
  const session = await logIn(former);
  const ended = new Promise((resolve) => session.once('end', resolve));
  const remains = `1 sessions of the database user ${ONE}`;
  assert.deepEqual(await rotator.retire(change, { isExposed: false }, SIGNAL), { remains });
  await session.query('SELECT 1');
  // A session that outlives its credential holds up no rotation.
  const again = { former: change.next, next: rotator.next(change.next) };
  await rotator.install(again, SIGNAL);
  await server.sql(`ALTER ROLE ${Q1} NOLOGIN`);
  const may = 'which the role of urlFile may not end (pg_signal_backend)';
  const left = await rotator.retire(change, { isExposed: true }, SIGNAL);
  assert.deepEqual(left, { remains: `${remains}, ${may}` });
  await session.query('SELECT 1');
  await server.sql(`GRANT pg_signal_backend TO ${ADMIN.user}`);
  assert.deepEqual(await rotator.retire(change, { isExposed: true }, SIGNAL), {});
  await ended;
});

describe('nothing is changed', () => {
  const cases: [string, string, string][] = [
    ['when a user is missing', `DROP ROLE ${Q2}`, 'ROTATOR_USER'],
    ['when a user is a superuser', `ALTER ROLE ${Q2} SUPERUSER`, 'ROTATOR_USER'],
    ['when the users differ in attributes', `ALTER ROLE ${Q2} CONNECTION LIMIT 3`, 'ROTATOR_RIGHTS_DIFFER'],
    ['when the users differ in memberships', `REVOKE app FROM ${Q2}`, 'ROTATOR_RIGHTS_DIFFER'],
    ['when the users differ in settings', `ALTER ROLE ${Q2} RESET role`, 'ROTATOR_RIGHTS_DIFFER'],
    [
      'when one owns what the other does not',
      `CREATE TABLE owned (); ALTER TABLE owned OWNER TO ${Q1}`,
      'ROTATOR_RIGHTS_DIFFER',
    ],
    ['when the admin may not', `ALTER ROLE ${ADMIN.user} NOCREATEROLE`, 'ROTATOR_PERMISSION'],
    ['when the admin’s password is another', `ALTER ROLE ${ADMIN.user} PASSWORD 'other'`, 'ROTATOR_LOGIN_REFUSED'],
  ];
  for (const [when, sql, code] of cases) {
    test(when, async () => {
      await server.sql(sql);
      const before = await server.sql('SELECT rolname, rolcanlogin, rolpassword FROM pg_authid ORDER BY 1');
      const rotator = await admin();
      const former = credential(ONE, 'first-password');
      await assert.rejects(rotator.install({ former, next: rotator.next(former) }, SIGNAL), { code });
      assert.equal(await server.sql('SELECT rolname, rolcanlogin, rolpassword FROM pg_authid ORDER BY 1'), before);
      await (await logIn(former)).end();
    });
  }

  test('when somebody is logged in as the user whose turn it is, and nobody retired it', async () => {
    const rotator = await admin();
    await server.sql(`ALTER ROLE ${Q2} LOGIN PASSWORD 'in-use'`);
    const inUse = credential(TWO, 'in-use');
    const session = await logIn(inUse);
    const former = credential(ONE, 'first-password');
    const change = { former, next: rotator.next(former) };
    await assert.rejects(rotator.install(change, SIGNAL), { code: 'ROTATOR_USER_IN_USE', loop: 'retry' });
    await (await logIn(inUse)).end();
    await session.end();
  });

  test('when the user in use is asked for, by a mistake of ours', async () => {
    const rotator = await admin();
    const former = credential(ONE, 'first-password');
    const next = credential(ONE, 'other');
    await assert.rejects(rotator.install({ former, next }, SIGNAL), { name: 'Bug' });
    await assert.rejects(rotator.retire({ former, next }, { isExposed: true }, SIGNAL), { name: 'Bug' });
    await (await logIn(former)).end();
  });
});

test('a wrong password is noticed, and the file of the admin’s is read again at every use', async () => {
  const rotator = await admin();
  const former = credential(ONE, 'first-password');
  const change = { former, next: rotator.next(former) };
  await rotator.install(change, SIGNAL);
  const wrong = { former, next: credential(TWO, 'not-the-password') };
  await assert.rejects(rotator.verify(wrong, SIGNAL), { code: 'ROTATOR_LOGIN_REFUSED' });
  await server.sql(`ALTER ROLE ${ADMIN.user} PASSWORD 'renewed'`);
  await assert.rejects(rotator.install(change, SIGNAL), { code: 'ROTATOR_LOGIN_REFUSED' });
  await writeFile(join(folder, 'url'), server.url(ADMIN.user, 'renewed'));
  await rotator.install(change, SIGNAL);
  await rotator.verify(change, SIGNAL);
});

test('a server that says nothing is waited for so long and no longer', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = silent.address() as AddressInfo;
    const settings = {
      host: '127.0.0.1',
      port,
      database: 'd',
      user: 'u',
      password: 'p',
      isEncrypted: false,
      timeout: 50,
    };
    await assert.rejects(
      withConnection(settings, SIGNAL, async () => undefined),
      { code: 'ROTATOR_UNREACHABLE', message: /does not answer in time/ },
    );
  } finally {
    silent.close();
  }
});

test('an abort ends what waits, and a database that is down is said to be so', async () => {
  const rotator = await admin();
  const former = credential(ONE, 'first-password');
  const change = { former, next: rotator.next(former) };
  const ending = new AbortController();
  ending.abort(new Error('ended'));
  await assert.rejects(rotator.install(change, ending.signal), { message: 'ended' });
  await server.stop();
  try {
    await assert.rejects(rotator.install(change, SIGNAL), { code: 'ROTATOR_UNREACHABLE', loop: 'retry' });
  } finally {
    await server.launch();
  }
  await rotator.install(change, SIGNAL);
});

describe('a server that cannot be trusted, or proves nothing', () => {
  let secured: Postgres;
  let ca: Authority;
  before(async () => {
    ca = await Authority.open(folder, 'ca');
    const tls = await ca.issue('server');
    const hba = [
      'hostssl all coffer_admin 127.0.0.1/32 scram-sha-256',
      'hostssl plain all 127.0.0.1/32 password',
      'hostssl postgres all 127.0.0.1/32 trust',
    ];
    secured = await Postgres.start({ tls, hba });
    await secured.sql(SETUP);
    await secured.sql('CREATE DATABASE plain');
  });
  after(() => secured.close());

  const url = (options = {}) => secured.url(ADMIN.user, ADMIN.password, { mode: 'verify-full', ...options });

  test('is reached by TLS with its authority, and by no other name', async () => {
    const former = credential(ONE, 'first-password');
    const { caFile } = { caFile: ca.certificate.certFile };
    const rotator = await rotatorOf(url(), { caFile });
    const change = { former, next: rotator.next(former) };
    await rotator.install(change, SIGNAL);
    const untold = await rotatorOf(url());
    await assert.rejects(untold.install(change, SIGNAL), { code: 'ROTATOR_UNREACHABLE' });
    const renamed = await rotatorOf(url({ host: 'localhost' }), { caFile });
    await assert.rejects(renamed.install(change, SIGNAL), { code: 'ROTATOR_UNREACHABLE' });
    const without = await rotatorOf(server.url(ADMIN.user, ADMIN.password, { mode: 'verify-full' }), { caFile });
    await assert.rejects(without.install(change, SIGNAL), { code: 'ROTATOR_UNREACHABLE', message: /no TLS/ });
  });

  test('is no proof where anybody is let in, and gets no new password in the clear', async () => {
    const former = credential(ONE, 'first-password');
    for (const database of ['postgres', 'plain']) {
      const rotator = await rotatorOf(url({ database }), { caFile: ca.certificate.certFile });
      const change = { former, next: rotator.next(former) };
      await rotator.install(change, SIGNAL);
      await assert.rejects(rotator.verify(change, SIGNAL), { code: 'ROTATOR_UNPROVEN' });
    }
  });
});
