/** What a kubelet, a person and the kernel see of an operator. */
import * as fs from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { OperatorProcess } from '../../operator/site.ts';

/** Nothing here takes so long, on a busy machine neither. */
const PATIENCE = 90_000;
/** Milliseconds between wakes: one that comes while a source is looked at, or too soon after, is answered a second later. */
const NUDGE = 2500;

export interface Trouble {
  code: string;
  message: string;
  advice: string;
}

/** Path at the end of a source's address → what is wrong with it. */
export type Troubles = (name: string) => Trouble | undefined;

export async function troublesOf(operator: OperatorProcess): Promise<Troubles> {
  const { sources } = await operator.status();
  return (name) => sources.find(({ address }: { address: string }) => address.endsWith(`/${name}`))?.trouble;
}

/** Looks until nothing is left, or for so long that what is left will stay. `nudge`: whether to wake the operator meanwhile. */
export async function untilNoneIsLeft(
  operator: OperatorProcess,
  left: (troubles: Troubles) => number,
  nudge: (troubles: Troubles) => boolean = () => false,
): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  let nudged = Number.NEGATIVE_INFINITY;
  while (performance.now() < deadline && operator.child.exitCode === null) {
    const troubles = await troublesOf(operator);
    if (left(troubles) === 0) return;
    if (performance.now() > nudged + NUDGE && nudge(troubles)) {
      nudged = performance.now();
      await operator.wake();
    }
    await setTimeout(100);
  }
}

/** Peak of the resident memory of a process that runs, in MiB. */
export function peakMemory({ child }: OperatorProcess): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/** Asks again and again as a kubelet does, on a connection of its own: any answer but 200 is a failure. */
export class Probe {
  /** Milliseconds of the answer that took longest. */
  longest = 0;
  looks = 0;
  readonly failures: string[] = [];
  readonly #url: string;
  #isOver = false;
  readonly #loop: Promise<void>;

  constructor(t: TestContext, operator: OperatorProcess, path: string) {
    const { address = '' } = operator.lines.find(({ msg }) => msg === 'listening') ?? {};
    this.#url = address + path;
    this.#loop = this.#look();
    t.after(() => this.end());
  }

  async end(): Promise<this> {
    this.#isOver = true;
    await this.#loop;
    return this;
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now();
      const answer = await statusOf(this.#url).catch(String);
      this.longest = Math.max(this.longest, performance.now() - began);
      this.looks++;
      if (answer !== 200) this.failures.push(String(answer));
      await setTimeout(100);
    }
  }
}

function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: false, timeout: PATIENCE }, (answer: IncomingMessage) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode));
    });
    asked.once('error', reject);
  });
}
