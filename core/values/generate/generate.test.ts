import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { generate } from './generate.ts';

const NOW = new Date('2026-11-21T09:00:00Z');

describe('generated keys', () => {
  test('ed25519: the public key is that of the private one, in a line that ssh-keygen reads', async () => {
    const { value, public: line = Buffer.alloc(0) } = await generate({ kind: 'ed25519' }, NOW);
    assert.equal(createPrivateKey(value).asymmetricKeyType, 'ed25519');
    const folder = mkdtempSync(join(tmpdir(), 'coffer-generate-'));
    try {
      const file = join(folder, 'id');
      writeFileSync(`${file}.pub`, line);
      const { stdout, status } = spawnSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' });
      assert.equal(status, 0);
      assert.match(stdout, /^256 SHA256:\S+ no comment \(ED25519\)/);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const { x } = createPublicKey(value).export({ format: 'jwk' });
    const blob = Buffer.from(line.toString().split(' ')[1] ?? '', 'base64');
    assert.equal(blob.subarray(-32).toString('base64url'), x);
  });

  for (const bits of [2048, undefined] as const) {
    test(`rsa of ${bits ?? 'the usual number of'} bits, PEM as OpenSSL writes it`, async () => {
      const { value, public: publicPem } = await generate({ kind: 'rsa', ...(bits && { bits }) }, NOW);
      const key = createPrivateKey(value);
      assert.equal(key.asymmetricKeyDetails?.modulusLength, bits ?? 3072);
      assert.equal(key.export({ type: 'pkcs8', format: 'pem' }), value.toString());
      assert.equal(createPublicKey(key).export({ type: 'spki', format: 'pem' }), publicPem?.toString());
    });
  }

  test('tls: a certificate for the names, that signs itself and is of this key', async () => {
    const names = ['db.shop.svc', '*.shop.svc', '10.0.0.1', '::1'];
    const { value, public: pem = Buffer.alloc(0) } = await generate({ kind: 'tls', names, days: 30 }, NOW);
    const certificate = new X509Certificate(pem);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(value)));
    assert.equal(certificate.ca, false);
    assert.equal(certificate.subject, 'CN=db.shop.svc');
    assert.deepEqual(
      [certificate.checkHost('db.shop.svc'), certificate.checkHost('x.shop.svc'), certificate.checkHost('y.svc')],
      ['db.shop.svc', '*.shop.svc', undefined],
    );
    assert.deepEqual([certificate.checkIP('10.0.0.1'), certificate.checkIP('::1')], ['10.0.0.1', '::1']);
    assert.equal(certificate.validToDate.toISOString(), '2026-12-21T09:00:00.000Z');
    assert.ok(certificate.validFromDate < NOW);
  });

  test('tls: who is given the certificate to trust talks to a server that has it', async () => {
    const { value, public: pem = Buffer.alloc(0) } = await generate(
      { kind: 'tls', names: ['db.shop.svc'] },
      new Date(),
    );
    const server = createServer({ key: value, cert: pem }, (socket) => socket.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.0.0.1', port, ca: pem, servername: 'db.shop.svc' });
    // To its end: a client that leaves before it resets what the server still sends.
    assert.equal(String(Buffer.concat(await client.toArray())), 'hello');
    assert.ok(client.authorized);
    server.close();
    await once(server, 'close');
  });

  test('tls: a first name that is too long for a common name stands among the others only', async () => {
    const name = `${'a'.repeat(60)}.example.com`;
    const { public: pem = Buffer.alloc(0) } = await generate({ kind: 'tls', names: [name] }, NOW);
    const certificate = new X509Certificate(pem);
    assert.equal(certificate.checkHost(name), name);
    assert.equal(certificate.subject, undefined);
  });
});
