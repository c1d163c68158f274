import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { type ServeOptions, type Server, serve } from './http.ts';

interface Reply {
  code: number | undefined;
  body: string;
  type: string | undefined;
}

/** Node's fetch sends Sec-Fetch-Mode and hides Host: this asks as curl does. */
function ask(address: string, path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, address), { method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ code: response.statusCode, body, type: response.headers['content-type'] }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function start(t: TestContext, options: Partial<ServeOptions> = {}): Promise<Server> {
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    isReady: () => true,
    isAlive: () => true,
    status: () => ({ secrets: [] }),
    metrics: async () => ({ type: 'text/plain', text: 'coffer_secrets 1\n' }),
    wake: () => {},
    failed: (error) => assert.fail(String(error)),
    ...options,
  });
  t.after(() => server.close());
  return server;
}

describe('the endpoint', () => {
  test('tells who restarts it that it is stuck', async (t) => {
    const { address } = await start(t, { isAlive: () => false });
    assert.equal((await ask(address, '/healthz')).code, 503);
  });

  test('answers health, readiness, metrics and status', async (t) => {
    let ready = false;
    const { address } = await start(t, { isReady: () => ready });
    assert.equal((await ask(address, '/healthz')).code, 200);
    assert.equal((await ask(address, '/readyz')).code, 503);
    ready = true;
    assert.equal((await ask(address, '/readyz')).code, 200);
    assert.equal((await ask(address, '/metrics')).body, 'coffer_secrets 1\n');
    const status = await ask(address, '/status?x=1');
    assert.deepEqual([status.type, JSON.parse(status.body)], ['application/json', { secrets: [] }]);
  });

  test('refuses what is no path, which is the caller’s mistake', async (t) => {
    const { address } = await start(t);
    const { hostname, port } = new URL(address);
    for (const path of ['//', 'http://[']) {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      request({ hostname, port, path, agent: false }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
      assert.equal(await promise, 400);
    }
  });

  test('wakes the operator by POST alone, and never for a web page', async (t) => {
    let woken = 0;
    const { address } = await start(t, { wake: () => woken++ });
    assert.equal((await ask(address, '/wake', 'POST')).code, 202);
    assert.equal(woken, 1);
    assert.equal((await ask(address, '/wake')).code, 405);
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example' },
      { host: 'evil.example:8780' },
    ];
    for (const headers of foreign) {
      assert.equal((await ask(address, '/wake', 'POST', headers)).code, 403, JSON.stringify(headers));
      assert.equal((await ask(address, '/status', 'GET', headers)).code, 403);
    }
    assert.equal(woken, 1);
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:80']) {
      assert.equal((await ask(address, '/wake', 'POST', { host })).code, 202, host);
    }
  });

  test('knows no other paths, not even those that every object has', async (t) => {
    const { address } = await start(t);
    for (const path of ['/', '/constructor', '/__proto__', '/status/', '/etc/passwd', '/../status']) {
      const expected = path === '/../status' ? 200 : 404;
      assert.equal((await ask(address, path)).code, expected, path);
    }
    assert.equal((await ask(address, '/status', 'DELETE')).code, 405);
  });

  test('survives a mistake of ours, and tells the client nothing of it', async (t) => {
    const failures: unknown[] = [];
    const { address } = await start(t, {
      status: () => {
        throw new Error('canary');
      },
      failed: (error) => failures.push(error),
    });
    const reply = await ask(address, '/status');
    assert.equal(reply.code, 500);
    assert.ok(!reply.body.includes('canary'));
    assert.equal(failures.length, 1);
    assert.equal((await ask(address, '/healthz')).code, 200);
  });

  test('says so when the address is taken', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    await assert.rejects(start(t, { port }), { code: 'SERVE_ADDRESS' });
  });

  test('shows the audit log to this host alone, and to no web page that leads here by a name of its own', async (t) => {
    const asked: string[] = [];
    const audit = async (path: string) => {
      asked.push(path);
      return path === 'tile/0/000' ? Buffer.from([0, 255]) : undefined;
    };
    // As in a pod: on all addresses.
    const { address } = await start(t, { host: '0.0.0.0', audit });
    const { port } = new URL(address);
    const local = `http://127.0.0.1:${port}`;
    assert.equal((await ask(local, '/audit/tile/0/000')).type, 'application/octet-stream');
    for (const path of ['/audit/', '/audit/checkpoint', '/audit/../status', '/audit/%2e%2e/audit.lock'])
      await ask(local, path);
    assert.deepEqual(asked, ['tile/0/000', '', 'checkpoint']);
    assert.equal((await ask(local, '/audit/checkpoint', 'POST')).code, 405);
    assert.equal((await ask(local, '/audit/checkpoint', 'GET', { host: 'evil.example' })).code, 403);
    const other = Object.values(networkInterfaces())
      .flatMap((rows) => rows ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    if (other === undefined) return t.diagnostic('this machine has no other address');
    assert.equal(
      (await ask(`http://${other.address}:${port}`, '/audit/tile/0/000', 'GET', { host: 'localhost' })).code,
      403,
    );
    assert.equal(asked.length, 3);
  });
});
