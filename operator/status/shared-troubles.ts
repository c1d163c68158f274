import type { CofferError } from '../../core/errors.ts';
import { pause } from '../concurrency/pause.ts';
import type { Log } from '../process/log.ts';
import { type Trouble, troubleOf } from './status.ts';
import { TroubleLog } from './trouble-log.ts';

/** Milliseconds between looks at what changed. */
const LOOK = 1000;

/** What stands in the way of more than one secret, asked of those who know. Logged when it begins and when it ends. */
export class SharedTroubles {
  readonly #log: TroubleLog;
  readonly #ask: (() => CofferError | undefined)[] = [];

  constructor(log: Log) {
    this.#log = new TroubleLog(log);
  }

  add(ask: () => CofferError | undefined): void {
    this.#ask.push(ask);
  }

  /** One of a kind: an API server that is down troubles every watch. */
  now(): Trouble[] {
    const byCode = new Map<string, CofferError>();
    for (const ask of this.#ask) {
      const trouble = ask();
      if (trouble !== undefined && !byCode.has(trouble.code)) byCode.set(trouble.code, trouble);
    }
    return Array.from(byCode.values(), troubleOf);
  }

  /** Until the signal. */
  async report(signal: AbortSignal): Promise<void> {
    while (await pause(LOOK, signal)) this.#log.report({ sources: [], secrets: [], problems: this.now() });
  }
}
