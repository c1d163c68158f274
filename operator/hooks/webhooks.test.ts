import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { onDisk } from '../../test/operator/tmpfs.ts';
import type { Log } from '../process/log.ts';
import { followPair, readPair } from './certificate.ts';
import { openWebhooks, type WebhooksOptions } from './webhooks.ts';

const BODY = Buffer.from('{"ref":"refs/heads/main"}');
const MIB = 1024 * 1024;

interface Stage {
  address: string;
  folder: string;
  woken: string[];
  counts: string[];
  /** Codes of failures, and warnings. */
  logged: string[];
}

/** Three sources: github `infra`, gitea `apps`, gitlab `legacy`, each with a secret of its own. */
async function start(t: TestContext, changes: Partial<WebhooksOptions> = {}): Promise<Stage> {
  const folder = onDisk(t);
  for (const id of ['infra', 'apps', 'legacy']) writeFileSync(join(folder, id), `secret of ${id}\n`);
  const [woken, counts, logged]: string[][] = [[], [], []];
  const stage = { folder, woken: woken ?? [], counts: counts ?? [], logged: logged ?? [] };
  const log: Log = {
    info: () => {},
    warn: (message) => stage.logged.push(message),
    failure: ({ code }) => stage.logged.push(code),
    thrown: (error) => stage.logged.push(`thrown ${error}`),
  };
  const hooks = await openWebhooks(
    { listen: { host: '127.0.0.1', port: 0 } },
    {
      sources: [
        { id: 'infra', from: 'github', secretFile: join(folder, 'infra') },
        { id: 'apps', from: 'gitea', secretFile: join(folder, 'apps') },
        { id: 'legacy', from: 'gitlab', secretFile: join(folder, 'legacy') },
      ],
      wake: (source) => stage.woken.push(source),
      counted: (result) => stage.counts.push(result),
      log,
      ...changes,
    },
  );
  t.after(() => hooks.close());
  return { ...stage, address: hooks.address };
}

interface Delivery {
  headers?: Record<string, string>;
  body?: Buffer;
  path?: string;
  method?: string;
}

function open(address: string, { headers = {}, path = '/webhooks', method = 'POST' }: Delivery): ClientRequest {
  const all = { 'content-type': 'application/json', ...headers };
  const asked = httpRequest(new URL(path, address), { method, headers: all, agent: false });
  // Who is refused may be cut off behind the answer; before one that rejects.
  return asked.on('error', () => undefined);
}

async function statusOf(asked: ClientRequest): Promise<number | undefined> {
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}

function deliver(address: string, delivery: Delivery): Promise<number | undefined> {
  const asked = open(address, delivery);
  const status = statusOf(asked);
  asked.end(delivery.body ?? BODY);
  return status;
}

const digest = (secret: string, body = BODY) => createHmac('sha256', secret).update(body).digest('hex');
const github = (secret: string, body = BODY): Delivery => ({
  headers: { 'x-hub-signature-256': `sha256=${digest(secret, body)}` },
  body,
});
const gitea = (secret: string): Delivery => ({ headers: { 'x-gitea-signature': digest(secret) } });
const gitlab = (secret: string): Delivery => ({ headers: { 'x-gitlab-token': secret } });

describe('a webhook', () => {
  test('wakes the source whose secret fits, and no other', async (t) => {
    const { address, woken, counts } = await start(t);
    assert.equal(await deliver(address, github('secret of infra')), 202);
    assert.equal(await deliver(address, gitea('secret of apps')), 202);
    assert.equal(await deliver(address, gitlab('secret of legacy')), 202);
    assert.deepEqual(woken, ['infra', 'apps', 'legacy']);
    assert.deepEqual(counts, ['woke', 'woke', 'woke']);
  });

  test('wakes every source whose secret fits: an organisation has one webhook', async (t) => {
    const { folder } = await start(t);
    const files = { a: 'infra', other: 'apps', b: 'infra', another: 'legacy' };
    const sources = Object.entries(files).map(([id, file]) => {
      return { id, from: 'github' as const, secretFile: join(folder, file) };
    });
    const { address, woken } = await start(t, { sources });
    assert.equal(await deliver(address, github('secret of infra')), 202);
    assert.deepEqual(woken, ['a', 'b']);
  });

  test('with anything else wakes nobody, and tells nobody which sources there are', async (t) => {
    const { address, woken, counts } = await start(t);
    const { headers } = github('secret of infra');
    const type = (text: string) => ({ headers: { ...headers, 'content-type': text } });
    const table: [status: number, Delivery][] = [
      [401, {}],
      [401, github('secret of apps')],
      [401, github('')],
      [401, { headers: headers ?? {}, body: Buffer.from('{"ref":"refs/heads/other"}') }],
      [401, { headers: headers ?? {}, body: Buffer.alloc(0) }],
      [401, gitea('secret of infra')],
      [401, gitlab('secret of infra')],
      [401, { headers: { 'x-hub-signature-256': '' } }],
      [404, { ...github('secret of infra'), path: '/' }],
      [404, { ...github('secret of infra'), path: '/webhooks/infra' }],
      [404, { ...github('secret of infra'), path: '/wake' }],
      [405, { ...github('secret of infra'), method: 'PUT' }],
      [405, { method: 'GET', body: Buffer.alloc(0) }],
      [415, type('text/plain')],
      [415, type('multipart/form-data; boundary=x')],
      [411, { headers: { ...headers, 'transfer-encoding': 'chunked' } }],
    ];
    for (const [status, delivery] of table) assert.equal(await deliver(address, delivery), status);
    assert.deepEqual(woken, []);
    assert.equal(counts.length, table.length);
    for (const text of ['application/x-www-form-urlencoded', 'Application/JSON; charset=utf-8'])
      assert.equal(await deliver(address, type(text)), 202);
  });

  test('knows the secret that is on the disk now, and needs one', async (t) => {
    const { address, folder, woken, logged } = await start(t);
    const file = join(folder, 'infra');
    // As kubelet replaces a Secret's files.
    mkdirSync(join(folder, '..new'));
    writeFileSync(join(folder, '..new', 'infra'), 'rotated');
    symlinkSync(join('..new', 'infra'), join(folder, 'link'));
    renameSync(join(folder, 'link'), file);
    assert.equal(await deliver(address, github('secret of infra')), 401);
    assert.equal(await deliver(address, github('rotated')), 202);
    for (const text of ['', '\n', ' \n', 'two\nlines\n']) {
      writeFileSync(join(folder, '..new', 'infra'), text);
      assert.equal(await deliver(address, github(text.trim())), 401);
    }
    rmSync(file);
    assert.equal(await deliver(address, github('rotated')), 401);
    assert.equal(await deliver(address, gitea('secret of apps')), 202);
    assert.deepEqual(woken, ['infra', 'apps']);
    assert.equal(logged.filter((line) => line === 'WEBHOOK_SECRET').length, 1, 'said once until it is there');
  });

  test('a body of GitHub’s largest counts, and of a larger one nothing is read', async (t) => {
    const { address, woken } = await start(t);
    assert.equal(await deliver(address, github('secret of infra', Buffer.alloc(25 * MIB))), 202);
    assert.deepEqual(woken, ['infra']);
    const { headers = {} } = github('secret of infra');
    const length = String(25 * MIB + 1);
    const asked = open(address, { headers: { ...headers, 'content-length': length } });
    const status = statusOf(asked);
    asked.flushHeaders();
    assert.equal(await status, 413);
    asked.destroy();
  });

  test('whoever says it slowly is cut off, and stands in nobody’s way', async (t) => {
    const { address, woken } = await start(t, { patience: 2000 });
    const { headers = {} } = github('secret of infra');
    const { hostname, port } = new URL(address);
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect({ host: hostname, port: Number(port) });
      const lines = Object.entries({ ...headers, 'content-type': 'application/json', 'content-length': BODY.length });
      socket.write(
        `POST /webhooks HTTP/1.1\r\nhost: x\r\n${lines.map((line) => `${line.join(': ')}\r\n`).join('')}\r\n`,
      );
      const drip = setInterval(() => socket.write('x'), 100);
      socket.on('error', () => {}).resume();
      return new Promise<void>((closed) => {
        socket.once('close', () => {
          clearInterval(drip);
          closed();
        });
      });
    });
    assert.equal(await deliver(address, gitea('secret of apps')), 202);
    await Promise.all(slow);
    assert.deepEqual(woken, ['apps']);
  });

  test('a flood is cut off before it is read, and leaves two lines in the log', async (t) => {
    const { address, woken, counts, logged } = await start(t);
    // How many are read is a matter of time (admission.test.ts has the numbers): here, a flood is more than may be read meanwhile.
    const statuses: (number | undefined)[] = [];
    while (statuses.filter((status) => status === 429).length < 20)
      statuses.push(...(await Promise.all(Array.from({ length: 60 }, () => deliver(address, github('wrong'))))));
    assert.ok(statuses.slice(0, 60).filter((status) => status === 401).length >= 40, 'a burst is read');
    assert.ok(statuses.every((status) => status === 401 || status === 429));
    const limited = statuses.filter((status) => status === 429).length;
    assert.equal(counts.filter((result) => result === 'limited').length, limited);
    assert.deepEqual(woken, []);
    assert.ok(logged.length <= 2, String(logged));
  });

  test('what fails by a mistake of ours is said in the log, not to the sender', async (t) => {
    const wake = () => {
      throw new Error('canary');
    };
    const { address, logged } = await start(t, { wake });
    assert.equal(await deliver(address, github('secret of infra')), 500);
    assert.ok(logged.some((line) => line.includes('canary')));
  });
});

/** A certificate for localhost of its own making. */
function certify(folder: string, name: string): { certFile: string; keyFile: string } {
  const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', files.certFile, ...subject], { stdio: 'ignore' });
  return files;
}

describe('the certificate of the webhooks', () => {
  test('is the one of the files, also when they are renewed; unusable ones leave it as it was', async (t) => {
    const folder = onDisk(t);
    const [files, renewed, other] = ['a', 'b', 'c'].map((name) => certify(folder, name));
    assert.ok(files && renewed && other);
    const logged: unknown[] = [];
    const log: Log = { info: () => {}, warn: () => {}, failure: () => {}, thrown: (error) => logged.push(error) };
    const options = { sources: [], wake: () => {}, counted: () => {}, log };
    const hooks = await openWebhooks({ listen: { host: '127.0.0.1', port: 0 }, tls: files }, options);
    t.after(() => hooks.close());
    assert.match(hooks.address, /^https:/);
    const { cert: ca } = await readPair(files);
    const asked = httpsRequest(new URL('/webhooks', hooks.address), { ca, servername: 'localhost', agent: false });
    asked.end();
    assert.equal(await statusOf(asked), 405);

    const used = [Promise.withResolvers<Buffer>(), Promise.withResolvers<Buffer>()];
    const server = { setSecureContext: ({ cert }: { cert?: unknown }) => used.shift()?.resolve(cert as Buffer) };
    const [first, second] = used.map(({ promise }) => promise);
    const stop = followPair(server, files, await readPair(files), log, 5);
    t.after(stop);
    renameSync(other.keyFile, files.keyFile);
    while (logged.length === 0) await new Promise(setImmediate);
    assert.equal((logged[0] as { code?: string }).code, 'WEBHOOK_CERTIFICATE');
    renameSync(renewed.keyFile, files.keyFile);
    renameSync(renewed.certFile, files.certFile);
    assert.notDeepEqual(await first, ca);
    assert.equal(logged.length, 1);
    assert.ok(second);
  });

  test('is needed at the start', async (t) => {
    const folder = onDisk(t);
    const log: Log = { info: () => {}, warn: () => {}, failure: () => {}, thrown: () => {} };
    const options = { sources: [], wake: () => {}, counted: () => {}, log };
    const tls = { certFile: join(folder, 'none.crt'), keyFile: join(folder, 'none.key') };
    const opened = openWebhooks({ listen: { host: '127.0.0.1', port: 0 }, tls }, options);
    await assert.rejects(opened, { code: 'WEBHOOK_CERTIFICATE' });
  });

  test('whoever connects and says nothing is cut off, before and after the handshake', async (t) => {
    const files = certify(onDisk(t), 'a');
    const log: Log = { info: () => {}, warn: () => {}, failure: () => {}, thrown: () => {} };
    const options = { sources: [], wake: () => {}, counted: () => {}, log, patience: 300 };
    for (const tls of [undefined, files]) {
      const listen = { host: '127.0.0.1', port: 0 };
      const hooks = await openWebhooks(tls === undefined ? { listen } : { listen, tls }, options);
      t.after(() => hooks.close());
      const { port } = new URL(hooks.address);
      const mute = [connect({ host: '127.0.0.1', port: Number(port) })];
      if (tls !== undefined)
        mute.push(connectTls({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }));
      const silent = (socket: Socket) =>
        new Promise((closed) =>
          socket
            .on('error', () => {})
            .resume()
            .once('close', closed),
        );
      await Promise.all(mute.map(silent));
    }
  });
});
