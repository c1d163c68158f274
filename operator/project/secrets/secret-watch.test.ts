import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeClient, WatchListener } from '../../kubernetes/client.ts';
import { FIELD_MANAGER, type ObjectMeta } from '../../kubernetes/resource.ts';
import { Digests } from './digests.ts';
import { Inventory, ourSecret } from './inventory.ts';
import { FINGERPRINT, PROJECTED_LABEL } from './marks.ts';
import type { SecretObject } from './secret-object.ts';
import { LONGEST_LAG, SecretWatch } from './secret-watch.ts';

const KEY = 'payments/db';
const digests = new Digests({ bytes: Buffer.alloc(32, 7), id: 'x' });

/** One of ours. */
function secret(uid: string, resourceVersion: string): SecretObject & { metadata: ObjectMeta } {
  return {
    metadata: {
      namespace: 'payments',
      name: 'db',
      uid,
      resourceVersion,
      labels: { [PROJECTED_LABEL]: 'true' },
      annotations: { [FINGERPRINT]: resourceVersion },
      managedFields: [
        {
          manager: FIELD_MANAGER,
          operation: 'Apply',
          fieldsV1: { 'f:metadata': { 'f:labels': { [`f:${PROJECTED_LABEL}`]: {} } } },
        },
      ],
    },
    data: {},
  };
}

/** A watch that says what a test has it say: no real server can be made to lag, and none restores a backup in so short a time. */
async function watching(t: TestContext, listed: SecretObject) {
  const clock = { now: 1_000_000 };
  const opened = Promise.withResolvers<WatchListener>();
  const client: Partial<KubeClient> = {
    listPages: async (_resource, { labelSelector }, page) => {
      page(labelSelector === `${PROJECTED_LABEL}=true` ? [listed as never] : [], true);
      return { resourceVersion: '1' };
    },
    watch: async (_resource, { labelSelector, signal }, listener) => {
      if (labelSelector === `${PROJECTED_LABEL}=true`) opened.resolve(listener);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const inventory = new Inventory();
  const watch = new SecretWatch({
    client: client as KubeClient,
    namespaces: ['payments'],
    resync: 600_000,
    digests,
    inventory,
    now: () => clock.now,
    touched: () => {},
    holds: () => {},
  });
  const end = new AbortController();
  const running = watch.run(end.signal);
  t.after(async () => {
    end.abort();
    await running;
  });
  const { event } = await opened.promise;
  const tell = (object: SecretObject) => event({ type: 'MODIFIED', object });
  const known = () => [inventory.ours(KEY)?.uid, inventory.ours(KEY)?.fingerprint];
  return { clock, inventory, tell, known };
}

test('a watch that lags behind a write of ours says nothing of it, of a Secret that was there before neither', async (t) => {
  const { clock, inventory, tell, known } = await watching(t, secret('first', '100'));
  inventory.setOurs(ourSecret(secret('first', '130').metadata, true, clock.now, digests));
  tell(secret('first', '120'));
  assert.deepEqual(known(), ['first', '130']);
  inventory.setOurs(ourSecret(secret('second', '150').metadata, true, clock.now, digests));
  tell(secret('first', '140'));
  assert.deepEqual(known(), ['second', '150']);
});

test('versions of a restored backup of etcd are believed after a while, though they are earlier', async (t) => {
  const { clock, tell, known } = await watching(t, secret('first', '100'));
  clock.now += LONGEST_LAG - 1;
  tell(secret('first', '40'));
  assert.deepEqual(known(), ['first', '100']);
  clock.now += 1;
  tell(secret('first', '50'));
  assert.deepEqual(known(), ['first', '50']);
});

test('a clock that is set back keeps nobody from believing them', async (t) => {
  const { clock, tell, known } = await watching(t, secret('first', '100'));
  clock.now -= 1;
  tell(secret('first', '50'));
  assert.deepEqual(known(), ['first', '50']);
});
