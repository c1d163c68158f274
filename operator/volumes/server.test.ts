import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { startServer } from './server.ts';
import { createAuthority, createServerCertificate } from './serving/certificate.ts';

test('who asks too often is refused and fills no log; other refusals are logged', async (t) => {
  const logged: string[] = [];
  let code = 'VOLUME_BUSY';
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    routes: new Map([['/v1/mount', () => Promise.reject(new CofferError(code, 'No.', { advice: 'Wait.' }))]]),
    refused: (error) => logged.push(error.code),
    failed: (error) => logged.push(String(error)),
  });
  t.after(() => server.close());
  const day = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) };
  const authority = await createAuthority('test', day);
  server.useCertificate(await createServerCertificate(['127.0.0.1'], day, authority));
  const ask = async () => {
    const asking = request(`${server.address}/v1/mount`, { method: 'POST', ca: authority.certificate, agent: false });
    asking.end('{}');
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  assert.equal(await ask(), 429);
  code = 'VOLUME_NOT_READER';
  assert.equal(await ask(), 403);
  assert.deepEqual(logged, ['VOLUME_NOT_READER']);
});
