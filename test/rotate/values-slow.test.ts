import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import type { RotatorConfig } from '../../operator/config/settings.ts';
import { eventually } from '../operator/site.ts';
import type { Stage } from '../operator/stage.ts';
import { type Life, Lives } from './lives.ts';
import { withSpec } from './rotating.ts';

const GENERATED = { generate: { kind: 'hex' } };

function manifest(stage: Stage, name: string, rule: object): Record<string, string> {
  const text = stage.manifest({ namespace: 'payments', name, data: { token: 'first' } });
  return { [`${name}.json`]: withSpec(text, { rotation: { token: rule } }) };
}

/** Polls, and what follows, without waiting for rotators. */
async function glance(operator: Life): Promise<void> {
  await operator.run.poll();
  await operator.rotation.look();
}

test('while a rotator hangs, what is exposed and generated is delivered, and other rotators go on; one does one thing at a time', async (t) => {
  const lives = await Lives.open(t, (stage) => ({
    ...manifest(stage, 'a-slow', { rotator: 'slow' }),
    ...manifest(stage, 'b-slow', { rotator: 'slow' }),
    ...manifest(stage, 'c-quick', { rotator: 'quick' }),
    ...manifest(stage, 'y', GENERATED),
    ...manifest(stage, 'z', GENERATED),
  }));
  const { stage } = lives;
  const [begun, free, program] = [stage.path('begun'), stage.path('free'), stage.path('program')];
  // Hangs until it is set free.
  const done = `echo '{"result":"done"}'`;
  writeFileSync(
    program,
    `#!/bin/sh\necho begin >>${begun}\nwhile [ ! -e ${free} ]; do sleep 0.1; done\necho end >>${begun}\n${done}\n`,
  );
  chmodSync(program, 0o755);
  const rotators: RotatorConfig[] = [
    { name: 'slow', secrets: ['payments/a-slow', 'payments/b-slow'], command: { run: [program], timeout: '1h' } },
    { name: 'quick', secrets: ['payments/c-quick'], command: { run: ['/bin/sh', '-c', done] } },
  ];
  const exposed = new Set(['a-slow', 'b-slow', 'c-quick', 'z']);
  const operator = await lives.begin({ rotators, exposed: (_, name) => exposed.has(name) });
  const isNew = (name: string) =>
    eventually(async () => {
      await glance(operator);
      assert.notEqual(await stage.read('payments/api', name, 'token'), 'first');
      exposed.delete(name);
    });
  await isNew('z');
  await isNew('c-quick');
  await eventually(() => assert.equal(readFileSync(begun, 'utf8'), 'begin\n'));
  // What comes to light only now does not wait for it either.
  exposed.add('y');
  await isNew('y');
  assert.equal(readFileSync(begun, 'utf8'), 'begin\n');
  writeFileSync(free, '');
  await isNew('a-slow');
  await isNew('b-slow');
  await eventually(async () => {
    await operator.look();
    assert.deepEqual(operator.rotation.troubles(), []);
  });
  assert.match(readFileSync(begun, 'utf8'), /^(begin\nend\n)+$/);
  await operator.end();
});

test('an operator ends though a rotator hangs, and leaves no intent without an outcome in its log', async (t) => {
  const lives = await Lives.open(t, (stage) => manifest(stage, 'api', { rotator: 'slow' }));
  const begun = lives.stage.path('begun');
  const run = ['/bin/sh', '-c', `echo begin >${begun}; exec sleep 1000`];
  const rotators = [{ name: 'slow', secrets: ['payments/api'], command: { run, timeout: '1h' } }];
  const operator = await lives.begin({ rotators, exposed: () => true });
  await glance(operator);
  await eventually(() => assert.equal(readFileSync(begun, 'utf8'), 'begin\n'));
  await operator.end();
  const records = await lives.stage.audit();
  const ofEvent = (event: string) => records.filter((record) => record.event === event);
  const ended = new Set(ofEvent('secret.outcome').map(({ operation }) => operation));
  const open = ofEvent('secret.intent').filter(({ operation }) => !ended.has(operation));
  assert.deepEqual(open, []);
  const stopped = ofEvent('secret.outcome').filter(
    ({ action, outcome }) => action === 'rotate' && outcome === 'failed',
  );
  assert.ok(stopped.length > 0);
});

test('a server that cannot be reached is tried for one secret, and then left alone for all of them', async (t) => {
  const names = ['one', 'two', 'three'];
  const lives = await Lives.open(t, (stage) =>
    Object.fromEntries(names.flatMap((name) => Object.entries(manifest(stage, name, { rotator: 'db' })))),
  );
  const { stage, clocks } = lives;
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  writeFileSync(stage.path('url'), `postgres://admin:password@127.0.0.1:${port}/postgres?sslmode=disable`);
  const postgres = {
    urlFile: stage.path('url'),
    users: ['app_a', 'app_b'] as [string, string],
    entries: { username: 'username', password: 'token' },
  };
  const rotators = [{ name: 'db', secrets: names.map((name) => `payments/${name}`), postgres }];
  const operator = await lives.begin({ rotators, exposed: () => true });
  for (const tries of [1, 1, 2]) {
    if (tries === 2) clocks.pass(1000);
    await operator.look();
    assert.equal(connections, tries);
    assert.deepEqual(
      operator.rotation.troubles().map(({ code }) => code),
      ['ROTATOR_UNREACHABLE'],
    );
  }
  const failed = (await stage.audit()).filter(
    ({ event, outcome }) => event === 'rotation.step' && outcome === 'failed',
  );
  assert.equal(failed.length, 1);
  await operator.end();
});
