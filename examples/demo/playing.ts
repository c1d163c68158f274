/** A demo that a test plays, in a folder of its own, and what is left of it afterwards. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export class Playing {
  readonly child: ChildProcess;
  /** With its exit code. */
  readonly ended: Promise<number | null>;
  /** All that it printed so far. */
  printed = '';
  /** Where it makes its folders; also the mark by which its processes are known. */
  readonly #place: string;

  /** `user`: as whom, which only root can choose. */
  static start(t: TestContext, demo: string, user?: number): Playing {
    const place = mkdtempSync(join(tmpdir(), 'coffer-demo-test-'));
    t.after(() => rmSync(place, { recursive: true, force: true }));
    if (user !== undefined) chownSync(place, user, user);
    return new Playing(place, demo, user);
  }

  private constructor(place: string, demo: string, user: number | undefined) {
    this.#place = place;
    const env = { PATH: process.env.PATH, TMPDIR: place, HOME: place };
    const as = user === undefined ? {} : { uid: user, gid: user };
    this.child = spawn(process.execPath, [demo], { env, stdio: ['ignore', 'pipe', 'pipe'], ...as });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (more) => {
        this.printed += more;
      });
    }
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  assertNothingLeft(): void {
    assert.deepEqual(this.#processesLeft(), [], 'processes');
    assert.deepEqual(readdirSync(this.#place), [], 'files');
    for (const [folder] of this.printed.matchAll(/\/(?:dev\/shm|run)\/[\w/]*coffer-demo-\w+/g)) {
      assert.ok(!existsSync(folder), `${folder} is left in memory`);
    }
  }

  /** Processes whose environment names this test's folder. */
  #processesLeft(): string[] {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(this.#place);
      } catch {
        return false; // ended meanwhile, or another user's
      }
    });
  }
}
