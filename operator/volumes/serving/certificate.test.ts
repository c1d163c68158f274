import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { createAuthority, createServerCertificate } from './certificate.ts';

const FROM = new Date('2026-01-01T00:00:00Z');
const AUTHORITY = 'coffer test';

async function issue(names: readonly string[], to = new Date('2036-01-01T00:00:00Z')) {
  const authority = await createAuthority(AUTHORITY, { from: FROM, to });
  return { authority, server: await createServerCertificate(names, { from: FROM, to }, authority) };
}

test("a server's certificate is of its authority, for its names, for its time", async () => {
  const { authority, server } = await issue(
    ['operator.coffer-system.svc', '127.0.0.1', 'fd00::1:2'],
    new Date('2051-06-01'),
  );
  const issuer = new X509Certificate(authority.certificate);
  const certificate = new X509Certificate(server.certificate);
  assert.ok(issuer.ca && !certificate.ca);
  assert.ok(issuer.verify(issuer.publicKey));
  assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  assert.equal(certificate.checkHost('operator.coffer-system.svc'), 'operator.coffer-system.svc');
  assert.equal(certificate.checkHost('other.coffer-system.svc'), undefined);
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkIP('fd00::1:2'), 'fd00::1:2');
  assert.deepEqual(certificate.validFromDate, FROM);
  assert.deepEqual(certificate.validToDate, new Date('2051-06-01'));
});

test('a TLS client that knows the authority accepts the server, under its names only', async () => {
  const { authority, server } = await issue(['operator.svc']);
  const listening = createServer({ cert: server.certificate, key: server.key }, (socket) =>
    socket.on('error', () => {}).end('hello'),
  );
  // Who refuses the server hangs up, before or after the handshake.
  listening.on('tlsClientError', () => {});
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const options = { host: '127.0.0.1', port, ca: authority.certificate };
  try {
    const accepted = connect({ ...options, servername: 'operator.svc' });
    const [greeting] = await once(accepted, 'data');
    assert.equal(String(greeting), 'hello');
    for (const refused of [
      { ...options, servername: 'other.svc' },
      { ...options, servername: 'operator.svc', ca: (await issue(['operator.svc'])).authority.certificate },
    ])
      await assert.rejects(once(connect(refused), 'secureConnect'));
  } finally {
    listening.close();
  }
});
