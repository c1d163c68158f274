import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

const DEMO = join(import.meta.dirname, 'demo.ts');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Where the demo of one test makes its folders; also the mark by which its processes are known. */
let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'coffer-demo-test-'));
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

function startDemo(options: { uid?: number; gid?: number } = {}): { child: ChildProcess; printed: () => string } {
  const env = { PATH: process.env.PATH, TMPDIR: place, HOME: place };
  const child = spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (more) => (text += more));
  return { child, printed: () => text };
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('close', resolve));

/** Processes whose environment names this test's folder. */
function processesLeft(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(place);
    } catch {
      return false; // ended meanwhile, or another user's
    }
  });
}

function assertNothingLeft(printed: string): void {
  assert.deepEqual(processesLeft(), [], 'processes');
  assert.deepEqual(readdirSync(place), [], 'files');
  for (const [folder] of printed.matchAll(/\/(?:dev\/shm|run)\/[\w/]*coffer-demo-\w+/g)) {
    assert.ok(!existsSync(folder), `${folder} is left in memory`);
  }
}

describe('the demo', { skip: process.platform !== 'linux' && 'its checks read /proc' }, () => {
  test('plays the whole path in less than a minute and leaves nothing behind', async () => {
    const started = performance.now();
    const { child, printed } = startDemo();
    assert.equal(await ended(child), 0, printed());
    assert.ok(performance.now() - started < 60_000);
    for (const promise of ['there after', 'VALUE_REFUSED', 'mended by a commit', 'ended cleanly']) {
      assert.ok(printed().includes(promise), `${promise} is missing in\n${printed()}`);
    }
    if (isRoot) assert.match(printed(), /Permission denied/);
    assertNothingLeft(printed());
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const { child, printed } = startDemo();
    const exit = ended(child);
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', () => {
        if (printed().includes('coffer-operator --config staging')) resolve();
      });
      void exit.then(() => resolve());
    });
    child.kill('SIGINT');
    assert.equal(await exit, 130, printed());
    assertNothingLeft(printed());
  });

  test('works without privileges', async (t) => {
    if (!isRoot) return t.skip('this run has none: the first test shows it');
    const readable =
      spawnSync('cat', [DEMO, process.execPath], { uid: NOBODY, gid: NOBODY, stdio: 'ignore' }).status === 0;
    if (!readable) return t.skip('the checkout cannot be read by another user');
    spawnSync('chown', [String(NOBODY), place]);
    const { child, printed } = startDemo({ uid: NOBODY, gid: NOBODY });
    assert.equal(await ended(child), 0, printed());
    assertNothingLeft(printed());
  });
});
