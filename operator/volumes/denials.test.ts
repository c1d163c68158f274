import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { Denials, type Denied } from './denials.ts';

const refusal = (code: string) => new CofferError(code, 'You may not.', { advice: 'Ask.' });
const by = (podUid: string): Denied => ({
  action: 'mount',
  actor: { kind: 'pod', user: 'system:serviceaccount:payments:api', podUid },
  namespace: 'payments',
  name: 'db',
});

function scene() {
  const records: AnyRecord[] = [];
  const clock = { now: 0 };
  const append = async (more: readonly AnyRecord[]) => void records.push(...more);
  return { records, clock, denials: new Denials({ append }, 'production', () => clock.now) };
}

test('a pod that asks again and again is recorded once an hour for each reason', async () => {
  const { records, clock, denials } = scene();
  for (let second = 0; second < 3600; second++) {
    clock.now = second * 1000;
    await denials.record(refusal('VOLUME_NOT_READER'), by('one'));
  }
  await denials.record(refusal('VOLUME_NAMESPACE'), by('one'));
  await denials.record(refusal('VOLUME_NOT_READER'), by('two'));
  clock.now = 3600_000;
  await denials.record(refusal('VOLUME_NOT_READER'), by('one'));
  assert.deepEqual(
    records.map(({ event, code, actor }) => `${event} ${code} ${actor?.podUid}`),
    [
      'read.denied VOLUME_NOT_READER one',
      'read.denied VOLUME_NAMESPACE one',
      'read.denied VOLUME_NOT_READER two',
      'read.denied VOLUME_NOT_READER one',
    ],
  );
});

test('pods without end do not fill the log, which says once a minute how many it left out', async () => {
  const { records, clock, denials } = scene();
  for (let pod = 0; pod < 5000; pod++) await denials.record(refusal('VOLUME_NOT_READER'), by(String(pod)));
  assert.equal(records.filter(({ actor }) => actor !== undefined).length, 500);
  clock.now += 60_000;
  await denials.record(refusal('VOLUME_NOT_READER'), by('4999'));
  const sums = records.filter(({ actor }) => actor === undefined);
  assert.deepEqual(
    sums.map(({ event, count }) => [event, count]),
    [
      ['read.denied', 1],
      ['read.denied', 4499],
    ],
  );
});

test('a pod that asks for names without end does not hide the denial of another', async () => {
  const { records, denials } = scene();
  for (let name = 0; name < 1000; name++) {
    await denials.record(refusal('VOLUME_NOT_READER'), { ...by('one'), name: `db-${name}` });
  }
  await denials.record(refusal('VOLUME_NOT_READER'), by('two'));
  assert.equal(records.at(-1)?.actor?.podUid, 'two');
  assert.equal(records.filter(({ actor }) => actor?.podUid === 'one').length, 50);
});

test('a denial that could not be recorded is not taken for one that was', async () => {
  const records: AnyRecord[] = [];
  let isFull = true;
  const append = async (more: readonly AnyRecord[]) => {
    if (isFull) throw refusal('AUDIT_FULL');
    records.push(...more);
  };
  const denials = new Denials({ append }, 'production');
  await assert.rejects(denials.record(refusal('VOLUME_NOT_READER'), by('one')), { code: 'AUDIT_FULL' });
  isFull = false;
  await denials.record(refusal('VOLUME_NOT_READER'), by('one'));
  assert.equal(records.length, 1);
});
