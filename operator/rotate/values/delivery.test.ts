import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AnyRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import { KeysStage } from '../../../test/rotate/keys-stage.ts';
import { Outbox } from '../../outbox/outbox.ts';
import type { Pusher } from '../../push/pusher.ts';
import { Proposals } from '../proposals.ts';
import { Delivery, type Parcel } from './delivery.ts';

const never = new AbortController().signal;

/** A delivery for two sources, of which the operator may push to one. */
async function openDelivery(t: TestContext, push: Pusher['push']) {
  const stage = await KeysStage.open(t);
  const { store } = stage;
  const proposals = new Proposals({ cluster: 'production', stateDirectory: stage.root, store });
  const file = join(stage.root, 'proposals', 'values-production.jsonl');
  const records: AnyRecord[] = [];
  /** For each record of what is published, whether that lay there already. */
  const wasThere: boolean[] = [];
  const woken: string[] = [];
  const lines: string[] = [];
  const delivery = new Delivery({
    cluster: 'production',
    proposals,
    pushers: new Map([['pushed', { push, close: () => undefined }]]),
    audit: {
      append: async (added: readonly AnyRecord[]) => {
        for (const { step } of added) if (step === 'published') wasThere.push(existsSync(file));
        records.push(...added);
      },
    },
    wake: (source) => woken.push(source),
    log: { info: (line) => void lines.push(line) },
  });
  const deliver = async (...parcels: Parcel[]) => (await delivery.deliver(parcels, never)).map(({ code }) => code);
  const published = async () => (await proposals.read('values-production'))?.values.map(({ name }) => name);
  const steps = () => records.map(({ step, name, source }) => `${step} ${name} ${source}`);
  return { deliver, published, steps, wasThere, woken, lines, file, store };
}

function parcel(source: string, ...names: string[]): Parcel {
  const values = names.map((name) => ({ path: `${name}.yaml`, namespace: 'payments', name, entry: 'token.previous' }));
  return { source, commit: 'c0'.repeat(20), values, stanzas: new Map(), operations: new Map() };
}

function rejected(code: string): Promise<never> {
  return Promise.reject(new CofferError(code, 'not now', { advice: 'Wait.', loop: 'retry' }));
}

test('where trust refuses what is in the way, the source is woken a few times and not for ever, and then people are told', async (t) => {
  const { deliver, published, steps, woken } = await openDelivery(t, () => rejected('PUSH_WAITS'));
  const told: string[][] = [];
  for (let look = 0; look < 10; look++) told.push(await deliver(parcel('pushed', 'db')));
  assert.deepEqual(woken, ['pushed', 'pushed']);
  assert.deepEqual(told.slice(0, 3), [[], [], ['PUSH_WAITS']]);
  assert.deepEqual(told.at(-1), ['PUSH_WAITS']);
  assert.deepEqual([await published(), steps()], [['db'], ['published db pushed']]);
});

test('what was made is published, whether or not it is pushed, and each source is pushed what is its own', async (t) => {
  const pushed: string[][] = [];
  const { deliver, published, steps, woken } = await openDelivery(t, async ({ values }) => {
    pushed.push(values.map(({ name }) => name));
    return { commit: 'c1'.repeat(20), branch: 'rotated', isNew: true };
  });
  for (let look = 0; look < 2; look++)
    assert.deepEqual(await deliver(parcel('pushed', 'db'), parcel('collected', 'api')), []);
  assert.deepEqual([pushed, woken], [[['db']], ['pushed']]);
  assert.deepEqual(await published(), ['db', 'api']);
  assert.deepEqual(steps(), ['published db pushed', 'published api collected', 'pushed db pushed']);
  await deliver(parcel('pushed', 'db', 'more'), parcel('collected'));
  assert.deepEqual(steps().slice(3), ['published more pushed', 'pushed db pushed', 'pushed more pushed']);
  await deliver(parcel('pushed'), parcel('collected'));
  assert.equal(await published(), undefined);
});

test('without an identity that signs it nothing is published, nor pushed, and that is said', async (t) => {
  let pushes = 0;
  const push = async () => {
    pushes += 1;
    return 'nothing' as const;
  };
  const { deliver, published, store } = await openDelivery(t, push);
  const readIdentity = store.readIdentity.bind(store);
  store.readIdentity = async () => undefined;
  assert.deepEqual(await deliver(parcel('pushed', 'db')), ['PROPOSAL_NO_IDENTITY']);
  assert.deepEqual([await published(), pushes], [undefined, 0]);
  store.readIdentity = readIdentity;
  assert.deepEqual(await deliver(parcel('pushed', 'db')), []);
  assert.deepEqual([await published(), pushes], [['db'], 1]);
});

test('what is to be published is on record before it lies there, once, however often that fails', async (t) => {
  const { deliver, published, steps, wasThere } = await openDelivery(t, async () => 'nothing');
  const full = t.mock.method(Outbox.prototype, 'write', () => rejected('FILE_SYSTEM'));
  for (let look = 0; look < 3; look++) assert.deepEqual(await deliver(parcel('collected', 'db')), ['FILE_SYSTEM']);
  assert.deepEqual(await deliver(parcel('collected', 'db', 'api')), ['FILE_SYSTEM']);
  full.mock.restore();
  assert.deepEqual(await deliver(parcel('collected', 'db', 'api')), []);
  assert.deepEqual(await published(), ['db', 'api']);
  assert.deepEqual(steps(), ['published db collected', 'published api collected']);
  assert.deepEqual(wasThere, [false, false]);
  await deliver(parcel('collected'));
  await deliver(parcel('collected', 'db'));
  assert.deepEqual(steps().slice(2), ['published db collected']);
});

test('people are told how to collect what they have to: what nobody pushes, or what is refused', async (t) => {
  let push: Pusher['push'] = async () => 'nothing';
  const { deliver, lines, file } = await openDelivery(t, (...args) => push(...args));
  await deliver(parcel('pushed', 'db'));
  assert.deepEqual(lines, []);
  push = () => rejected('PUSH_REJECTED');
  for (let look = 0; look < 2; look++) assert.deepEqual(await deliver(parcel('pushed', 'api')), ['PUSH_REJECTED']);
  const command = `coffer rotate --collect --from-file ${file}`;
  assert.deepEqual(lines, [`to be collected: Drop former values of payments/api: token.previous: ${command}`]);
});
