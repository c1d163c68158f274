/** The built operator as a process that can be waited for and whose costs can be read while it runs (Linux: /proc). */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../../core/files/system-error.ts';
import type { Program } from './measure.ts';

/** Far above what any step here takes. */
const PATIENCE_MS = 10 * 60 * 1000;
const READY_POLL_MS = 10;
const SEARCHED_POLL_MS = 500;

/** A line of its log, with the clock and the CPU so far when it came, in milliseconds. */
export interface Moment {
  msg: string;
  wall: number;
  cpu: number;
  line: Record<string, unknown>;
}

export class RunningOperator {
  readonly began = performance.now();
  readonly #child: ChildProcess;
  readonly #moments: Moment[] = [];
  readonly #waiting = new Set<() => void>();
  /** By thread. */
  readonly #nanoseconds = new Map<string, number>();
  #errors = '';

  constructor({ program, args, cwd, env }: Program) {
    this.#child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Each moment that is waited for listens for the end.
    this.#child.setMaxListeners(0);
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('the operator has no output');
    stderr.on('data', (bytes) => {
      this.#errors += bytes;
    });
    createInterface(stdout).on('line', (text) => {
      const line: Record<string, unknown> = JSON.parse(text);
      this.#moments.push({ msg: String(line.msg), line, wall: performance.now(), cpu: this.cpu() });
      if (line.level === 'error') this.#errors += `${text}\n`;
      for (const look of this.#waiting) look();
    });
  }

  /** The first moment, of those that were or will be, that answers. */
  async moment(answers: (moment: Moment) => boolean): Promise<Moment> {
    let look = () => {};
    const found = new Promise<Moment>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the operator says nothing:\n${this.#errors}`)), PATIENCE_MS);
      const end = (settle: () => void) => {
        clearTimeout(late);
        settle();
      };
      look = () => {
        const moment = this.#moments.find(answers);
        if (moment !== undefined) end(() => resolve(moment));
      };
      this.#child.once('exit', (code) =>
        end(() => reject(new Error(`the operator ended (${code}):\n${this.#errors}`))),
      );
      this.#waiting.add(look);
      look();
    });
    return found.finally(() => this.#waiting.delete(look));
  }

  /** What `awaited` resolves to; rejects when the operator ends first. */
  async unlessEnded<Result>(awaited: Promise<Result>): Promise<Result> {
    const noMore = new AbortController();
    const ended = once(this.#child, 'exit', { signal: noMore.signal }).then(([code]) => {
      throw new Error(`the operator ended (${code}):\n${this.#errors}`);
    });
    ended.catch(() => undefined);
    return Promise.race([awaited, ended]).finally(() => noMore.abort());
  }

  /** Waits until /readyz says so. */
  async ready(): Promise<void> {
    const listening = await this.moment(({ msg }) => msg === 'listening');
    const url = new URL('/readyz', String(listening.line.address));
    while (!(await this.unlessEnded(fetch(url))).ok) await sleep(READY_POLL_MS);
  }

  /** Waits until it has searched the history of every source for what is exposed, which it does in the background after its start. */
  async searched(): Promise<void> {
    const listening = await this.moment(({ msg }) => msg === 'listening');
    const url = new URL('/metrics', String(listening.line.address));
    for (;;) {
      const answer = await this.unlessEnded(fetch(url));
      if (/^coffer_exposed_values\{/m.test(await answer.text())) return;
      await sleep(SEARCHED_POLL_MS);
    }
  }

  /** Makes it look at its sources now, as a webhook does. */
  async wake(): Promise<void> {
    const listening = await this.moment(({ msg }) => msg === 'listening');
    const asked = request(new URL('/wake', String(listening.line.address)), { method: 'POST', agent: false });
    asked.end();
    const [response] = await once(asked, 'response');
    response.resume();
    if (response.statusCode !== 202) throw new Error(`POST /wake: ${response.statusCode}`);
  }

  /** CPU of all its threads so far, in milliseconds; of one that has ended, what it had used when it was last seen. */
  cpu(): number {
    const tasks = `/proc/${this.#child.pid}/task`;
    for (const task of readdirSync(tasks)) {
      try {
        this.#nanoseconds.set(task, Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]));
      } catch (error) {
        if (!isSystemError(error, 'ENOENT', 'ESRCH')) throw error;
      }
    }
    return [...this.#nanoseconds.values()].reduce((sum, used) => sum + used, 0) / 1e6;
  }

  /** MiB: now, and at most so far. */
  memory(): { now: number; peak: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const [now, peak] = ['VmRSS', 'VmHWM'].map(
      (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024,
    );
    return { now: now ?? Number.NaN, peak: peak ?? Number.NaN };
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}
