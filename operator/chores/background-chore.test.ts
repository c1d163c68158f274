import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { BackgroundChore } from './background-chore.ts';

const trouble = (code: string) => new CofferError(code, 'in the way', { advice: '' });

/** Does as it is told, one thing a look. */
class Told extends BackgroundChore {
  readonly #works: ((signal: AbortSignal) => Promise<CofferError[]>)[];

  constructor(...works: ((signal: AbortSignal) => Promise<CofferError[]>)[]) {
    super();
    this.#works = works;
  }

  get codes(): string[] {
    return this.troubles().map(({ code }) => code);
  }

  protected override work(signal: AbortSignal): Promise<CofferError[]> {
    return this.#works.shift()?.(signal) ?? Promise.resolve([]);
  }
}

describe('a look that only begins the work', () => {
  test('does not wait for it; what stood in the way is known when it has ended', async () => {
    const { promise, resolve } = Promise.withResolvers<CofferError[]>();
    const chore = new Told(
      () => promise,
      () => Promise.reject(trouble('TWO')),
    );
    await chore.look();
    assert.deepEqual(chore.codes, []);
    resolve([trouble('ONE')]);
    await chore.settled();
    assert.deepEqual(chore.codes, ['ONE']);
    await chore.look();
    await chore.settled();
    assert.deepEqual(chore.codes, ['TWO']);
    await chore.look();
    await chore.settled();
    assert.deepEqual(chore.codes, []);
  });

  test('throws a mistake of ours at the next look, and is ended by whoever closes it', async () => {
    const began = Promise.withResolvers<void>();
    const chore = new Told(
      () => Promise.reject(new TypeError('ours')),
      (signal) => {
        began.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(trouble('ENDED'))));
      },
    );
    await chore.look();
    await chore.settled();
    await assert.rejects(chore.look(), TypeError);
    await chore.look();
    await began.promise;
    await chore.close();
    assert.deepEqual(chore.codes, []);
  });
});
