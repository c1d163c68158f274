import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { type TestContext, test } from 'node:test';
import { type Answer, startServer } from './server.ts';
import { renew } from './serving/renewal.ts';

const NAME = 'operator.test';

/** A server that gives this answer, and a way to ask it. */
async function serving(t: TestContext, answer: () => Promise<Answer>) {
  const { server: certificate, authorities } = await renew(undefined, [NAME], new Date());
  const failures: unknown[] = [];
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    routes: new Map([['/v1/mount', answer]]),
    refused: () => {},
    failed: (error) => failures.push(error),
  });
  t.after(() => server.close());
  server.useCertificate(certificate);
  const ask = () => {
    const options = { method: 'POST', ca: authorities[0], servername: NAME, agent: false } as const;
    return request(new URL('/v1/mount', server.address), options).end('{}');
  };
  return { ask, failures };
}

/** Values as large as a socket does not take at once, and when they were wiped. */
function values(size: number) {
  const { promise: wiped, resolve } = Promise.withResolvers<void>();
  const body = [Buffer.alloc(size, 'v'), Buffer.alloc(size, 'w')];
  const wipe = () => {
    for (const part of body) part.fill(0);
    resolve();
  };
  return { answer: { body, wipe }, wiped };
}

test('values arrive whole, and are wiped when they are sent', async (t) => {
  const { answer, wiped } = values(1_000_000);
  const { ask } = await serving(t, async () => answer);
  const [response] = (await once(ask(), 'response')) as [IncomingMessage];
  const received = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
  assert.ok(received.equals(Buffer.concat([Buffer.alloc(1_000_000, 'v'), Buffer.alloc(1_000_000, 'w')])));
  await wiped;
});

test('values are wiped when nobody is there any more to get them', async (t) => {
  const { answer, wiped } = values(4_000_000);
  const { ask } = await serving(t, async () => answer);
  const asking = ask();
  asking.on('error', () => {});
  await once(asking, 'response');
  asking.destroy();
  await wiped;
});

test('a mistake of ours is told to the log, and to the client without what it was about', async (t) => {
  const { ask, failures } = await serving(t, async () => {
    throw new TypeError('canary');
  });
  const [response] = (await once(ask(), 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 500);
  assert.ok(!Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).includes('canary'));
  assert.equal(failures.length, 1);
});
