import assert from 'node:assert/strict';
import { describe, mock, type TestContext, test } from 'node:test';
import type { SignedLog } from '../../core/audit/log.ts';
import type { AnyRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { OperatorLog, type OperatorLogOptions } from './operator-log.ts';
import type { Override } from './override.ts';

/** A log on a disk that does as it is told: full, broken and silent disks cannot be had at the right moment. */
class Disk implements SignedLog {
  readonly origin = 'coffer.dev/audit/production/0123456789abcdef';
  readonly checkpoint = undefined;
  readonly written: AnyRecord[] = [];
  fault: CofferError | undefined;
  /** So long nothing is answered. */
  silence: Promise<void> | undefined;
  isClosed = false;

  get size(): number {
    return this.written.length;
  }

  get problems(): readonly CofferError[] {
    return this.fault?.code === 'AUDIT_FULL' ? [this.fault] : [];
  }

  async append(records: readonly AnyRecord[]): Promise<void> {
    await this.silence;
    // As the reserve has it: room for how something ended.
    const fits = this.fault?.code === 'AUDIT_FULL' && records.every(({ event }) => event === 'secret.outcome');
    if (this.fault !== undefined && !fits) throw this.fault;
    this.written.push(...records);
  }

  async sign(): Promise<void> {}

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const NOW = new Date('2026-11-21T09:00:00Z');
const LEAVE: Override = {
  actor: { kind: 'host', user: 'ada', uid: 7 },
  reason: 'INC-7',
  given: '2026-11-21T08:59:00.000Z',
  until: '2026-11-21T10:00:00.000Z',
};

const fault = (code: string, system?: string) =>
  new CofferError(code, 'The disk says no.', {
    advice: 'Look at it.',
    loop: 'retry',
    ...(system === undefined ? {} : { cause: Object.assign(new Error(), { code: system }) }),
  });
const full = fault('AUDIT_FULL');
const broken = fault('AUDIT_UNWRITABLE', 'EIO');

function scene(options: Partial<OperatorLogOptions> = {}) {
  const disk = new Disk();
  const kept: AnyRecord[] = [];
  const leaves: Override[] = [];
  const log = new OperatorLog({
    open: async () => disk,
    opened: async () => [],
    override: async () => leaves.at(-1),
    now: () => NOW,
    kept: (record) => kept.push(record),
    ...options,
  });
  return { log, disk, kept, leaves };
}

const intent = (name: string): AnyRecord => ({ event: 'secret.intent', name });
const outcome = (name: string): AnyRecord => ({ event: 'secret.outcome', name });
const told = (records: readonly AnyRecord[]) => records.map(({ event, name }) => (name ? `${event} ${name}` : event));

describe('a log that cannot be written', () => {
  test('lets nothing go on, says so, and says afterwards since when', async () => {
    const { log, disk } = scene();
    await log.append([intent('a')]);
    disk.fault = broken;
    await assert.rejects(log.append([intent('b')]), { code: 'AUDIT_UNWRITABLE' });
    assert.deepEqual([log.isWritable, log.problems().map(({ code }) => code)], [false, ['AUDIT_UNWRITABLE']]);
    disk.fault = undefined;
    await log.append([intent('c')]);
    assert.deepEqual(told(disk.written), ['secret.intent a', 'log.interrupted', 'secret.intent c']);
    assert.equal(disk.written[1]?.happened, NOW.toISOString());
    assert.deepEqual([log.isWritable, log.problems()], [true, []]);
  });

  test('that is full takes how something ended, also while something is owed', async () => {
    const { log, disk } = scene();
    await log.append([intent('a')]);
    disk.fault = full;
    await log.owe([{ event: 'operator.started' }]);
    await log.append([outcome('a')]);
    await assert.rejects(log.append([intent('b')]), { code: 'AUDIT_FULL' });
    assert.deepEqual([log.isWritable, log.owed], [false, 1]);
    disk.fault = undefined;
    await log.settle();
    assert.deepEqual(told(disk.written), ['secret.intent a', 'secret.outcome a', 'operator.started']);
    assert.ok(log.isWritable);
  });

  test('that does not answer is said to be slow, until it does', async (t: TestContext) => {
    t.after(() => mock.restoreAll());
    let clock = performance.now();
    mock.method(performance, 'now', () => clock);
    const { log, disk } = scene();
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.silence = promise;
    const waiting = log.append([intent('a')]);
    await new Promise(setImmediate);
    assert.deepEqual(log.problems(), []);
    clock += 11_000;
    assert.deepEqual([log.isWritable, log.problems().map(({ code }) => code)], [false, ['AUDIT_SLOW']]);
    resolve();
    await waiting;
    assert.deepEqual([log.isWritable, log.problems()], [true, []]);
  });
});

describe('a log that cannot be opened', () => {
  test('because of its disk is no reason not to start; what is owed comes first when it can be', async () => {
    let error: CofferError | undefined = broken;
    const disk = new Disk();
    const { log } = scene({
      open: async () => {
        if (error !== undefined) throw error;
        return disk;
      },
      opened: async () => [{ event: 'log.witnessed' }],
    });
    await log.start([{ event: 'operator.started' }]);
    await assert.rejects(log.append([intent('a')]), { code: 'AUDIT_UNWRITABLE' });
    assert.equal(log.isWritable, false);
    error = undefined;
    const ending = new AbortController();
    const running = log.run(ending.signal);
    while (disk.written.length === 0) await new Promise((soon) => setTimeout(soon, 20));
    ending.abort();
    await running;
    assert.deepEqual(told(disk.written), ['log.witnessed', 'operator.started', 'log.interrupted']);
  });

  test('for another reason ends the start with it, and nothing hides that', async () => {
    for (const [code, system] of [
      ['AUDIT_UNWRITABLE', 'EACCES'],
      ['DIRECTORY_IN_USE', undefined],
      ['AUDIT_ROLLED_BACK', undefined],
    ] as const) {
      const error = fault(code, system);
      const { log } = scene({ open: () => Promise.reject(error) });
      await assert.rejects(log.start([{ event: 'operator.started' }]), { code });
      await log.close();
    }
  });
});

test('closing waits for a log that is being opened, and opens none after that', async () => {
  const { promise, resolve } = Promise.withResolvers<SignedLog>();
  let opened = 0;
  const { log, disk } = scene({
    open: async () => {
      opened++;
      return await promise;
    },
  });
  const waiting = log.append([intent('a')]);
  const closing = log.close();
  resolve(disk);
  await closing;
  assert.ok(disk.isClosed);
  await waiting;
  const never = scene({ open: () => Promise.reject(broken) });
  await assert.rejects(never.log.append([intent('a')]), { code: 'AUDIT_UNWRITABLE' });
  await never.log.close();
  await assert.rejects(never.log.append([intent('b')]), { code: 'AUDIT_UNWRITABLE', message: /closed/ });
  assert.equal(opened, 1);
});

describe('a person lets it go on without the log', () => {
  test('what is done is shown at once, and written later in its order, with the reason and when it happened', async () => {
    const { log, disk, kept, leaves } = scene();
    disk.fault = full;
    await assert.rejects(log.append([intent('refused')]), { code: 'AUDIT_FULL' });
    leaves.push(LEAVE);
    await log.append([intent('a')]);
    await log.append([outcome('a')]);
    assert.deepEqual(told(kept), ['log.overridden', 'secret.intent a', 'secret.outcome a']);
    assert.ok(log.isOverridden);
    assert.ok(log.problems().some(({ code, message }) => code === 'AUDIT_OVERRIDDEN' && message.includes('ada')));
    disk.fault = undefined;
    await log.append([intent('b')]);
    assert.deepEqual(told(disk.written), [...told(kept), 'secret.intent b']);
    const [first, second, , last] = disk.written;
    assert.deepEqual([first?.reason, first?.until, first?.actor], [LEAVE.reason, LEAVE.until, LEAVE.actor]);
    assert.deepEqual([second?.happened, last?.happened], [NOW.toISOString(), undefined]);
    assert.equal(log.isOverridden, false);
  });

  test('a second word is a record of its own; without one it ends', async () => {
    const { log, disk, kept, leaves } = scene();
    disk.fault = broken;
    leaves.push(LEAVE);
    await log.append([intent('a')]);
    leaves.push({ ...LEAVE, given: '2026-11-21T08:59:30.000Z', reason: 'INC-8' });
    await log.append([intent('b')]);
    assert.deepEqual(
      kept.filter(({ event }) => event === 'log.overridden').map(({ reason }) => reason),
      ['INC-7', 'INC-8'],
    );
    leaves.length = 0;
    await assert.rejects(log.append([intent('c')]), { code: 'AUDIT_UNWRITABLE' });
  });

  test('and not with one that was changed, cut, or is signed by another', async () => {
    for (const code of ['AUDIT_DAMAGED', 'AUDIT_ROLLED_BACK', 'AUDIT_KEY_REPLACED']) {
      const { log, disk, kept, leaves } = scene();
      disk.fault = fault(code);
      leaves.push(LEAVE);
      await assert.rejects(log.append([intent('a')]), { code });
      assert.deepEqual(kept, []);
    }
  });

  test('no more is kept in memory than there is room for', async () => {
    const { log, disk, leaves } = scene();
    disk.fault = full;
    leaves.push(LEAVE);
    await log.append(Array.from({ length: 29_000 }, () => intent('a')));
    await assert.rejects(log.append(Array.from({ length: 1001 }, () => intent('b'))), { code: 'AUDIT_FULL' });
  });

  test('what cannot be written in the end is said to be lost; what fits the reserve is not', async () => {
    const { log, disk, leaves } = scene();
    disk.fault = full;
    leaves.push(LEAVE);
    await log.append([intent('a')]);
    await log.append([outcome('a')]);
    await assert.rejects(
      log.close(),
      ({ code, message }: CofferError) => code === 'AUDIT_LOST' && message.startsWith('2 '),
    );
    assert.deepEqual(told(disk.written), ['secret.outcome a']);
    assert.ok(disk.isClosed);
  });
});
