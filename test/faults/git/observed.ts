/** What a kubelet, a person and the kernel see of an operator. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eventually, type OperatorProcess } from '../../operator/site.ts';

/** Nothing here takes so long, on a busy machine neither. */
const PATIENCE = 400_000;
/** Milliseconds between wakes: one that comes while a source is looked at, or too soon after, is answered a second later. */
const NUDGE = 4000;

export interface Trouble {
  code: string;
  message: string;
  advice: string;
}

/** Path at the end of a source's address → what is wrong with it. */
export type Troubles = (name: string) => Trouble | undefined;

export async function troublesOf(operator: OperatorProcess): Promise<Troubles> {
  const sources = await sourcesOf(operator);
  return (name) => sources(name)?.trouble;
}

/** Path at the end of a source's address → what the status says of it. */
export async function sourcesOf(
  operator: OperatorProcess,
): Promise<(name: string) => { trouble?: Trouble; lastSuccess?: string } | undefined> {
  const { sources } = JSON.parse((await ask(operator, '/status')).text);
  return (name) => sources.find(({ address }: { address: string }) => address.endsWith(`/${name}`));
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

/** A file is there before the work on its commit has come to its end. */
export function assertReady(operator: OperatorProcess): Promise<void> {
  return eventually(async () => assert.equal((await ask(operator, '/readyz')).status, 200));
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
  readonly #ask: () => Promise<Answer>;
  #isOver = false;
  readonly #loop: Promise<void>;

  constructor(t: TestContext, operator: OperatorProcess, path: string) {
    this.#ask = () => ask(operator, path);
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
      const answer = await this.#ask().then(({ status }) => status, String);
      this.longest = Math.max(this.longest, performance.now() - began);
      this.looks++;
      if (answer !== 200) this.failures.push(String(answer));
      await setTimeout(100);
    }
  }
}

interface Answer {
  status: number | undefined;
  text: string;
}

/** On a connection of its own: one that is kept may be closed just then. */
export function ask(operator: OperatorProcess, path: string): Promise<Answer> {
  const { address = '' } = operator.lines.find(({ msg }) => msg === 'listening') ?? {};
  return new Promise((resolve, reject) => {
    const asked = get(address + path, { agent: false, timeout: PATIENCE }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      answer.once('end', () => resolve({ status: answer.statusCode, text }));
      answer.once('error', reject);
    });
    asked.once('error', reject);
  });
}
