import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { code, commitOf, never, Watching } from '../../test/operator/watching.ts';
import { Authority, type Certificate } from '../../test/servers/certificates.ts';
import { HttpProxy, type HttpProxyOptions } from '../../test/servers/http-proxy.ts';
import type { RemoteConfig } from './remote/open-remote.ts';

let folder: string;
let ca: Authority;
let server: Certificate;
let client: Certificate;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coffer-https-'));
  ca = await Authority.open(folder);
  server = await ca.issue('server');
  client = await ca.issue('client');
});
after(() => rm(folder, { recursive: true }));

interface Bench {
  bench: Watching;
  commit: string;
  config: RemoteConfig;
}

type Serving = Parameters<Watching['serve']>[0];

/** A repository with a commit behind TLS, and what reaches it. */
async function team(t: TestContext, serving: Serving = {}): Promise<Bench> {
  const bench = await Watching.open(t);
  const commit = await bench.tree.commit({ a: '1' });
  const { url } = await bench.serve({ tls: server, ...serving });
  return { bench, commit, config: { url, caFile: ca.certificate.certFile } };
}

describe('the server’s certificate', () => {
  test('is trusted when its authority is named; the file is read again', async (t) => {
    const { bench, commit, config } = await team(t);
    const { caFile: _, ...untold } = config;
    await assert.rejects((await bench.source(untold)).poll(never), code('SOURCE_CERTIFICATE'));
    const other = await Authority.open(bench.root, 'other');
    const caFile = await bench.file('ca.pem', String(other.certificate.cert));
    const source = await bench.source({ ...config, caFile });
    await assert.rejects(source.poll(never), code('SOURCE_CERTIFICATE'));
    await bench.file('ca.pem', 'no certificate');
    await assert.rejects(source.poll(never), code('SOURCE_CA_UNREADABLE'));
    await bench.file('ca.pem', String(other.certificate.cert) + String(ca.certificate.cert));
    assert.equal(await commitOf(source), commit);
  });

  test('of another host is refused', async (t) => {
    const { bench, config } = await team(t);
    const source = await bench.source({ ...config, url: config.url.replace('127.0.0.1', 'localhost') });
    await assert.rejects(source.poll(never), code('SOURCE_CERTIFICATE'));
  });

  test('is asked for again wherever a redirect leads, and never given up for http', async (t) => {
    const { bench, config } = await team(t);
    const plain = await bench.serve();
    const moved = await team(t, {
      intercept: (request, response) => {
        response.writeHead(302, { location: `${plain.url}${request.url?.replace('/team/.git', '')}` }).end();
        return true;
      },
    });
    const source = await bench.source({ ...config, url: moved.config.url, allowHttp: true });
    await assert.rejects(source.poll(never), code('SOURCE_REDIRECTED'));
  });
});

/** One that ends a handshake with the alert of RFC 8446, section 6.2; its port. */
function opensslServer(t: TestContext): Promise<number> {
  const { certFile } = ca.certificate;
  const verify = ['-Verify', '1', '-verify_return_error', '-CAfile', certFile];
  const own = ['-cert', server.certFile, '-key', server.keyFile, '-accept', '127.0.0.1:0'];
  const child = spawn('openssl', ['s_server', ...own, ...verify], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => child.kill());
  return new Promise((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const [, port] = /ACCEPT \S+:(\d+)/.exec(String(chunk)) ?? [];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

describe('a client certificate', () => {
  const asked = () => ({ ...server, ca: ca.certificate.cert, requestCert: true, rejectUnauthorized: true });

  test('is shown to a server that asks for one; its files are read again', async (t) => {
    const { bench, commit, config } = await team(t, { tls: asked() });
    const stranger = await Authority.open(bench.root, 'stranger');
    const clientCertFile = await bench.file('client.crt', String(stranger.certificate.cert));
    const clientKeyFile = await bench.file('client.key', String(stranger.certificate.key));
    const source = await bench.source({ ...config, clientCertFile, clientKeyFile });
    // Node's server just hangs up.
    await assert.rejects(source.poll(never), code('SOURCE_UNREACHABLE'));
    await writeFile(clientCertFile, client.cert);
    await assert.rejects(source.poll(never), code('SOURCE_CLIENT_CERTIFICATE_UNREADABLE'));
    await writeFile(clientKeyFile, client.key);
    assert.equal(await commitOf(source), commit);
  });

  test('that is missing or another’s is told where the server says so in TLS', async (t) => {
    const { bench, config } = await team(t);
    const url = `https://127.0.0.1:${await opensslServer(t)}/team.git`;
    await assert.rejects((await bench.source({ ...config, url })).poll(never), code('SOURCE_CLIENT_CERTIFICATE'));
    const { certificate } = await Authority.open(bench.root, 'stranger');
    const files = { clientCertFile: certificate.certFile, clientKeyFile: certificate.keyFile };
    const source = await bench.source({ ...config, ...files, url });
    await assert.rejects(source.poll(never), code('SOURCE_CLIENT_CERTIFICATE'));
  });

  test('and a token stay with the configured host when it redirects to another', async (t) => {
    const seen: { token: string | undefined; certificate: unknown }[] = [];
    const note = (request: IncomingMessage): boolean => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      seen.push({ token: request.headers.authorization, certificate: subject?.CN });
      return false;
    };
    const asking = { ...asked(), rejectUnauthorized: false };
    const { bench, commit, config } = await team(t, { tls: asking, intercept: note });
    const atHome: typeof seen = [];
    const home = await team(t, {
      tls: asking,
      intercept: (request: IncomingMessage, response: ServerResponse) => {
        note(request);
        atHome.push(...seen.splice(-1));
        response.writeHead(307, { location: `${config.url}${request.url?.replace('/team/.git', '')}` }).end();
        return true;
      },
    });
    const source = await bench.source({
      ...home.config,
      bearerFile: await bench.file('token', 'secret'),
      clientCertFile: client.certFile,
      clientKeyFile: client.keyFile,
    });
    assert.equal(await commitOf(source), commit);
    assert.deepEqual(atHome, [{ token: 'Bearer secret', certificate: 'client' }]);
    assert.deepEqual(seen, Array(2).fill({ token: undefined, certificate: undefined }));
  });
});

describe('a proxy', () => {
  async function proxyFor(t: TestContext, options?: HttpProxyOptions): Promise<HttpProxy> {
    const proxy = await HttpProxy.start(options);
    t.after(() => proxy.close());
    return proxy;
  }

  /** Those of the operator's process, for one test. */
  function environment(t: TestContext, variables: Record<string, string>): void {
    for (const [name, value] of Object.entries(variables)) {
      const before = process.env[name];
      process.env[name] = value;
      t.after(() => {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      });
    }
  }

  test('is tunnelled through to https, with the server’s own certificate checked and the client’s shown', async (t) => {
    const asked = { ...server, ca: ca.certificate.cert, requestCert: true, rejectUnauthorized: true };
    const { bench, commit, config } = await team(t, { tls: asked });
    const proxy = await proxyFor(t);
    const clientFiles = { clientCertFile: client.certFile, clientKeyFile: client.keyFile };
    const source = await bench.source({ ...config, ...clientFiles, proxy: proxy.url });
    assert.equal(await commitOf(source), commit);
    const { host } = new URL(config.url);
    assert.ok(proxy.seen.length > 0 && proxy.seen.every((line) => line === `CONNECT ${host}`), `${proxy.seen}`);
    const { caFile: _, ...untold } = config;
    await assert.rejects((await bench.source({ ...untold, proxy: proxy.url })).poll(never), code('SOURCE_CERTIFICATE'));
  });

  test('may itself be spoken to over TLS, and gets whole URLs for http', async (t) => {
    const bench = await Watching.open(t);
    const commit = await bench.tree.commit({ a: '1' });
    const { url } = await bench.serve();
    const proxy = await proxyFor(t, { tls: await ca.issue('proxy', 'DNS:localhost') });
    const proxyUrl = proxy.url.replace('127.0.0.1', 'localhost');
    const caFile = ca.certificate.certFile;
    assert.equal(await commitOf(await bench.source({ url, allowHttp: true, caFile, proxy: proxyUrl })), commit);
    assert.ok(proxy.seen[0]?.startsWith(`GET ${url}/info/refs`), `${proxy.seen}`);
    const untold = await bench.source({ url, allowHttp: true, proxy: proxyUrl });
    await assert.rejects(untold.poll(never), code('SOURCE_CERTIFICATE'));
  });

  test('is the environment’s, with its password and its exceptions, unless it is none', async (t) => {
    const { bench, commit, config } = await team(t);
    const proxy = await proxyFor(t, { auth: { username: 'ada', password: 'secret' } });
    environment(t, { HTTPS_PROXY: proxy.url.replace('//', '//ada:secret@'), NO_PROXY: '' });
    assert.equal(await commitOf(await bench.source(config)), commit);
    assert.notDeepEqual(proxy.seen.splice(0), []);
    await (await bench.source({ ...config, proxy: 'none' })).poll(never);
    environment(t, { NO_PROXY: '127.0.0.1' });
    await (await bench.source(config)).poll(never);
    assert.deepEqual(proxy.seen, []);
  });

  test('that refuses, or is not there, is told from the server', async (t) => {
    const { bench, config } = await team(t);
    const proxy = await proxyFor(t, { auth: { username: 'ada', password: 'secret' } });
    await assert.rejects((await bench.source({ ...config, proxy: proxy.url })).poll(never), code('SOURCE_PROXY'));
    const plain = await bench.serve();
    const overPlain = await bench.source({ url: plain.url, allowHttp: true, proxy: proxy.url });
    await assert.rejects(overPlain.poll(never), code('SOURCE_PROXY'));
    const gone = await bench.source({ ...config, proxy: 'http://127.0.0.1:1' });
    await assert.rejects(gone.poll(never), code('SOURCE_UNREACHABLE'));
  });

  for (const proxy of ['http://ada:secret@proxy:3128', 'socks5://proxy', 'proxy:3128']) {
    test(`cannot be ${proxy}`, async (t) => {
      const { bench, config } = await team(t);
      await assert.rejects(bench.source({ ...config, proxy }), (error) => {
        assert.ok(code('SOURCE_PROXY_INVALID')(error));
        assert.doesNotMatch(JSON.stringify(error) + String(error), /secret/);
        return true;
      });
    });
  }
});
