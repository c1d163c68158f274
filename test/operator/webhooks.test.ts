import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { GitHttpServer } from '../servers/git-http.ts';
import { deliver } from './delivery.ts';
import { eventually, type OperatorProcess, Site } from './site.ts';

const MIB = 1024 * 1024;
/** Bytes that the process may grow by while it is flooded: what a mebibyte of each of many bodies would not fit into. */
const ROOM = 64 * MIB;

/** The most memory that the process ever held, in bytes. */
function peak({ child }: OperatorProcess): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

test('a push is projected as soon as the forge tells of it; a flood makes nobody fetch or remember more', async (t) => {
  let looks = 0;
  const git = await GitHttpServer.start({
    root: '/',
    intercept: ({ url }) => {
      if (url?.includes('/info/refs')) looks++;
      return false;
    },
  });
  t.after(() => git.close());
  const site = await Site.open(t);
  fs.writeFileSync(site.path('hook'), 'the secret\n');
  const webhook = { from: 'github', secretFile: 'hook' };
  const url = `${git.url}${site.path('repository')}/.git`;
  site.configure({
    sources: [{ git: { url, allowHttp: true, interval: '1h', webhook } }],
    serve: { listen: '127.0.0.1:0', webhooks: { listen: '127.0.0.1:0' } },
  });
  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'one' } }) });
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  const { address = '' } = await operator.line(({ msg }) => msg === 'listening for webhooks');

  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'two' } }) });
  assert.equal(await deliver(address, 'another secret'), 401);
  assert.equal(await deliver(address, 'the secret'), 202);
  await eventually(() => assert.equal(site.read('payments/api/db/a'), 'two'));

  const before = peak(operator);
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  t.after(() => agent.destroy());
  const [began, looked] = [performance.now(), looks];
  const statuses = new Map<number | undefined, number>();
  const count = (status: number | undefined) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  // Long enough that a source may be looked at again, and until there was a flood: a slow machine sends less in that time.
  while (performance.now() - began < 2500 || (statuses.get(202) ?? 0) <= 10 || (statuses.get(429) ?? 0) <= 100) {
    const large = deliver(address, 'the secret', Buffer.alloc(20 * MIB)).catch(() => undefined);
    const small = Array.from({ length: 40 }, () =>
      deliver(address, 'the secret', undefined, agent).catch(() => undefined),
    );
    for (const status of await Promise.all([large, ...small])) count(status);
  }
  const seconds = (performance.now() - began) / 1000;
  assert.ok(looks - looked <= Math.ceil(seconds) + 1, `${looks - looked} looks in ${seconds} s`);
  await eventually(() => assert.ok(looks > looked, 'nobody looked'));
  assert.ok(peak(operator) - before < ROOM, `${(peak(operator) - before) / MIB} MiB more`);
  await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  await eventually(async () =>
    assert.match(await operator.get('/metrics'), /coffer_webhook_requests_total\{result="limited"\} \d{3}/),
  );
});
