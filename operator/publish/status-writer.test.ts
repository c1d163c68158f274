import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { KubeClient } from '../kubernetes/client.ts';
import type { SecretStatus } from '../status/status.ts';
import type { EncryptedSecrets } from './encrypted-secrets.ts';
import { StatusWriter } from './status-writer.ts';
import { storedStatus } from './stored-status.ts';

const status = (name: string): SecretStatus => ({ namespace: 'payments', name, state: 'ready', workloads: [] });

test('what is told at the very moment at which the last status was written is written too', async () => {
  for (let turns = 0; turns < 30; turns++) {
    const written: string[] = [];
    const apply = Promise.withResolvers<object>();
    const client = {
      apply: (_resource: unknown, { name }: { name: string }) => {
        written.push(name);
        return apply.promise;
      },
    } as Partial<KubeClient> as KubeClient;
    const objects = {
      get: (key: string) => ({ namespace: 'payments', name: key.split('/')[1], uid: '1', status: storedStatus({}) }),
      onChange: () => {},
      takeStatus: () => {},
    } as object as EncryptedSecrets;
    const { signal } = new AbortController();
    const writer = new StatusWriter({ client, objects, events: { emit: () => {} }, now: () => new Date(), signal });
    writer.tell([status('a')]);
    await setTimeout();
    apply.resolve({ metadata: {} });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    writer.tell([status('b')]);
    await setTimeout();
    assert.deepEqual(written, ['a', 'b'], `after ${turns} turns`);
  }
});
