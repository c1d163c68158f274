import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { isRoot, onDisk, onTmpfs, smallTmpfs } from '../../../test/operator/tmpfs.ts';
import type { DirectoryConfig } from '../../config/settings.ts';
import type { DirectoryProjector } from './directory-projector.ts';
import { openDirectoryProjector } from './open-directory-projector.ts';

type OnChange = DirectoryConfig['workloads'][number]['onChange'];

const CANARY = 'canary-9b1e';

interface Scene {
  path: string;
  state: string;
  /** A line for each notification. */
  heard: () => string[];
  onChange: OnChange;
}

function scene(t: TestContext, script = 'echo "$COFFER_WORKLOAD" >> "$0"'): Scene {
  const state = onDisk(t);
  const file = join(state, 'heard');
  const heard = () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
  return { path: join(onTmpfs(t), 'run'), state, heard, onChange: { command: ['/bin/sh', '-c', script, file] } };
}

async function open(t: TestContext, { path, state, onChange }: Scene, uid?: number): Promise<DirectoryProjector> {
  const workload = { name: 'shop/api', ...(onChange && { onChange }), ...(uid !== undefined && { uid }) };
  const options = { cluster: 'production', stateDirectory: state, environment: {} };
  const projector = await openDirectoryProjector({ path, workloads: [workload] }, options);
  t.after(() => projector.close());
  return projector;
}

async function give(projector: DirectoryProjector, name: string, entries: Record<string, string>) {
  const values = new Map(Object.entries(entries).map(([entry, text]) => [entry, Buffer.from(text)]));
  const audience = [{ workload: 'shop/api', entries: new Set(Object.keys(entries)) }];
  await projector.apply({ namespace: 'shop', name, type: 'Opaque' }, audience, values);
}

describe('a workload is told of a change', () => {
  test('once, however many of its secrets changed', async (t) => {
    const at = scene(t);
    const projector = await open(t, at);
    await give(projector, 'db', { a: '1' });
    await give(projector, 'mail', { a: '1' });
    await projector.prune('shop', 'mail');
    assert.deepEqual(at.heard(), []);
    assert.deepEqual(await projector.notify(), []);
    assert.deepEqual(at.heard(), ['shop/api']);
  });

  test('never when nothing changed, after a restart neither', async (t) => {
    const at = scene(t);
    const first = await open(t, at);
    await give(first, 'db', { a: '1' });
    await first.notify();
    await give(first, 'db', { a: '1' });
    await first.notify();
    await first.close();
    const second = await open(t, at);
    await give(second, 'db', { a: '1' });
    await second.notify();
    assert.equal(at.heard().length, 1);
    await give(second, 'db', { a: '2' });
    await second.notify();
    assert.equal(at.heard().length, 2);
  });

  test('after a restart, when the operator ended between the change and the notification', async (t) => {
    const at = scene(t);
    const first = await open(t, at);
    await give(first, 'db', { a: '1' });
    await first.close();
    const second = await open(t, at);
    await give(second, 'db', { a: '1' });
    await second.notify();
    await second.notify();
    assert.equal(at.heard().length, 1);
  });

  test('after kill -9 while its command runs', async (t) => {
    const at = scene(t);
    const killed = fork(join(import.meta.dirname, '../../../test/operator/notifier.ts'), [at.path, at.state], {
      detached: true,
    });
    await once(killed, 'message');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const projector = await open(t, at);
    await projector.notify();
    assert.equal(at.heard().length, 1);
  });

  test('again, when it changed while it was told', async (t) => {
    const at = scene(t, 'echo began >> "$0"; until [ -e "$0.go" ]; do sleep 0.05; done; echo ended >> "$0"');
    const projector = await open(t, at);
    await give(projector, 'db', { a: '1' });
    const told = projector.notify();
    while (at.heard().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await give(projector, 'db', { a: '2' });
    fs.writeFileSync(join(at.state, 'heard.go'), '');
    await told;
    assert.deepEqual(at.heard(), ['began', 'ended', 'began', 'ended']);
  });

  test('once, however many ask for that while it is told', async (t) => {
    const at = scene(t, 'echo began >> "$0"; sleep 0.1; echo ended >> "$0"');
    const projector = await open(t, at);
    await give(projector, 'db', { a: '1' });
    await Promise.all([projector.notify(), projector.notify()]);
    assert.deepEqual(at.heard(), ['began', 'ended']);
  });

  test('after a restart, whichever projection is opened first', async (t) => {
    const at = scene(t);
    const elsewhere = { ...at, path: join(onTmpfs(t), 'other'), onChange: undefined };
    const first = await open(t, at);
    await give(first, 'db', { a: '1' });
    await first.close();
    await open(t, elsewhere);
    const second = await open(t, at);
    await second.notify();
    assert.deepEqual(at.heard(), ['shop/api']);
  });

  test('never of a change for which there was no room', async (t) => {
    const path = smallTmpfs(t, 64);
    if (path === undefined) return;
    const at = { ...scene(t), path: join(path, 'run') };
    const projector = await open(t, at);
    for (const name of ['db', 'mail']) {
      if (name === 'mail') await give(projector, name, { a: '1' });
      await projector.notify();
      const before = at.heard().length;
      await give(projector, name, { a: 'x'.repeat(100_000) });
      await projector.notify();
      assert.equal(at.heard().length, before);
    }
    await projector.close();
  });

  test('by a command that gets no value and little else', async (t) => {
    const at = scene(t, 'env >> "$0"; cat /proc/$$/cmdline >> "$0"');
    const projector = await open(t, at);
    process.env.COFFER_TEST_CANARY = CANARY;
    t.after(() => delete process.env.COFFER_TEST_CANARY);
    await give(projector, 'db', { a: CANARY });
    await projector.notify();
    const told = at.heard().join('\n');
    assert.match(told, /COFFER_WORKLOAD=shop\/api/);
    assert.ok(!told.includes(CANARY));
  });

  test('at the next try, when the command failed, could not be run, or took too long', async (t) => {
    for (const [command, timeout, how] of [
      [['/bin/false'], '30s', /exit code 1/],
      [['/nonexistent'], '30s', /ENOENT/],
      [['/bin/sh', '-c', 'sleep 60 & sleep 60'], '100ms', /SIGKILL/],
    ] as const) {
      const at = scene(t);
      const projector = await open(t, { ...at, onChange: { command: [...command], timeout } });
      await give(projector, 'db', { a: '1' });
      const [failure] = await projector.notify();
      assert.equal(failure?.code, 'NOTIFY_FAILED');
      assert.match(failure?.message ?? '', how);
      await projector.close();
      const mended = await open(t, at);
      assert.deepEqual(await mended.notify(), []);
      assert.equal(at.heard().length, 1);
      await mended.close();
    }
  });

  test('after a restart, when the operator was ended while a command hung', async (t) => {
    const at = scene(t, 'echo began >> "$0"; sleep 60');
    const projector = await open(t, at);
    await give(projector, 'db', { a: '1' });
    const ending = new AbortController();
    const told = projector.notify(ending.signal);
    while (at.heard().length === 0) await new Promise((resolve) => setImmediate(resolve));
    ending.abort();
    assert.deepEqual(await told, []);
    await projector.close();
    const { onChange, heard } = scene(t);
    const again = await open(t, { ...at, onChange });
    assert.deepEqual(await again.notify(), []);
    assert.deepEqual(heard(), ['shop/api']);
  });

  test('by a signal to the process of its pid file', async (t) => {
    const at = scene(t);
    const pidFile = join(at.state, 'pid');
    const { child } = await workload();
    t.after(() => child.kill('SIGKILL'));
    fs.writeFileSync(pidFile, `${child.pid}\n`);
    const projector = await open(t, { ...at, onChange: { signal: { name: 'SIGHUP', pidFile } } });
    await give(projector, 'db', { a: '1' });
    const heard = once(child.stdout ?? child, 'data');
    assert.deepEqual(await projector.notify(), []);
    assert.equal(String((await heard)[0]).trim(), 'hup');
  });

  test('by no signal to anybody else’s process', { skip: !isRoot && 'SKIPPED: needs root' }, async (t) => {
    const at = scene(t);
    const pidFile = join(at.state, 'pid');
    const { child } = await workload();
    t.after(() => child.kill('SIGKILL'));
    const projector = await open(t, { ...at, onChange: { signal: { name: 'SIGKILL', pidFile } } }, 12345);
    await give(projector, 'db', { a: '1' });
    for (const text of [`${child.pid}`, '1', '0', '-1', 'x', '', '99999999999']) {
      fs.writeFileSync(pidFile, text);
      const [failure] = await projector.notify();
      assert.equal(failure?.code, 'NOTIFY_FAILED', text);
    }
    assert.equal(child.exitCode ?? child.signalCode, null);
  });
});

async function workload(): Promise<{ child: ChildProcess }> {
  const child = spawn('/bin/sh', ['-c', 'trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done']);
  await once(child.stdout, 'data');
  return { child };
}
