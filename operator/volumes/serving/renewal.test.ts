import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { renew, type ServingKeys } from './renewal.ts';

const NAMES = ['coffer-operator.coffer-system.svc', '127.0.0.1'];
const START = new Date('2026-01-01T00:00:00Z');
const later = (days: number) => new Date(START.getTime() + days * 24 * 60 * 60 * 1000);

function isTrusted({ authorities, server }: ServingKeys): boolean {
  const certificate = new X509Certificate(server.certificate);
  return authorities.some((authority) => certificate.verify(new X509Certificate(authority).publicKey));
}

test('what is not due stays the same', async () => {
  const first = await renew(undefined, NAMES, START);
  assert.equal(await renew(first, NAMES, later(59)), first);
});

test("the server's certificate is renewed a month before it expires, by the same authority", async () => {
  const first = await renew(undefined, NAMES, START);
  const second = await renew(first, NAMES, later(61));
  assert.deepEqual(second.authorities, first.authorities);
  assert.notEqual(second.server.certificate, first.server.certificate);
  assert.ok(isTrusted(second));
});

test('other names need another certificate', async () => {
  const first = await renew(undefined, NAMES, START);
  const second = await renew(first, [...NAMES, 'other.svc'], START);
  assert.equal(new X509Certificate(second.server.certificate).checkHost('other.svc'), 'other.svc');
});

test('clients that know only the former authority, or only the new one, are never without a server', async () => {
  const first = await renew(undefined, NAMES, START);
  let keys = first;
  let day = 0;
  for (; keys.authorities.length === 1; day += 7) keys = await renew(keys, NAMES, later(day));
  assert.equal(keys.authorities[1], first.authorities[0]);
  const [fresh = ''] = keys.authorities;
  const isOfFresh = () => new X509Certificate(keys.server.certificate).verify(new X509Certificate(fresh).publicKey);
  assert.ok(!isOfFresh(), 'changed in the same moment as its authority');
  const until = day + 91;
  for (; day < until; day += 7) keys = await renew(keys, NAMES, later(day));
  assert.ok(isOfFresh());
  assert.ok(later(day) < new X509Certificate(first.authorities[0] ?? '').validToDate);
  for (; day < 3700; day += 7) keys = await renew(keys, NAMES, later(day));
  assert.deepEqual(keys.authorities, [fresh]);
  assert.ok(isTrusted(keys));
});
