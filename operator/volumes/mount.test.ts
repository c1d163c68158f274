import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { Denials } from './denials.ts';
import { type MountOutcome, MountRoute } from './mount.ts';
import type { Reader } from './reader.ts';
import type { TokenOwner } from './token-reviews.ts';

const POD: TokenOwner = {
  user: 'system:serviceaccount:payments:api',
  groups: [],
  extra: {
    'authentication.kubernetes.io/pod-name': ['api-0'],
    'authentication.kubernetes.io/pod-uid': ['1b4e28ba'],
  },
};

function route(
  read: Reader['read'],
  { isUpToDate = true, ages = [] as number[], outcomes = [] as MountOutcome[] } = {},
) {
  const mount = new MountRoute({
    tokens: {
      ownerOf: async (_, maxAge) => {
        ages.push(maxAge);
        return POD;
      },
    },
    reader: { read },
    denials: new Denials({ append: async () => {} }, 'production'),
    isConfigured: () => true,
    answered: (outcome) => outcomes.push(outcome),
    isUpToDate: () => isUpToDate,
  });
  return (body: object) =>
    mount.answer({ authorization: 'Bearer abc', body: Buffer.from(JSON.stringify(body)), from: '10.0.0.1' });
}

const unknown: Reader['read'] = async () => {
  throw new CofferError('SECRET_UNKNOWN', 'There is none.', { advice: 'Commit it.' });
};

test('before every source was seen nobody is told that a secret is gone: pods would lose their files', async () => {
  await assert.rejects(route(unknown, { isUpToDate: false })({ secret: 'db' }), { code: 'VOLUME_NOT_READY' });
  await assert.rejects(route(unknown)({ secret: 'db' }), { code: 'SECRET_UNKNOWN' });
});

test('the API server is asked anew before something is opened, and seldom while nothing changes', async () => {
  const ages: number[] = [];
  const read: Reader['read'] = async ({ knownVersion, confirm }) => {
    if (knownVersion === '1') return { version: '1', unchanged: true };
    await confirm?.();
    return { version: '1', values: new Map(), keyIds: [], wipe: () => {} };
  };
  const ask = route(read, { ages });
  await ask({ secret: 'db', version: '1' });
  assert.deepEqual(ages.splice(0), [60_000]);
  await ask({ secret: 'db', version: '0' });
  assert.deepEqual(ages.splice(0), [60_000, 5_000]);
  await ask({ secret: 'db' });
  assert.deepEqual(ages.splice(0), [5_000, 5_000]);
});

test('each request is counted by how it ended: what is only asked too early or too often is no denial', async () => {
  const outcomes: MountOutcome[] = [];
  const read: Reader['read'] = async ({ knownVersion }) =>
    knownVersion === '1'
      ? { version: '1', unchanged: true }
      : { version: '1', values: new Map(), keyIds: [], wipe: () => {} };
  await route(read, { outcomes })({ secret: 'db' });
  await route(read, { outcomes })({ secret: 'db', version: '1' });
  await assert.rejects(route(unknown, { outcomes })({ secret: 'db' }));
  await assert.rejects(route(unknown, { outcomes, isUpToDate: false })({ secret: 'db' }));
  await assert.rejects(route(read, { outcomes })({ secret: '../db' }));
  assert.deepEqual(outcomes, ['opened', 'unchanged', 'denied', 'failed', 'failed']);
});

test('a pod that asks without end is told to wait', async () => {
  const ask = route(async () => ({ version: '1', unchanged: true }));
  const answers = await Promise.allSettled(Array.from({ length: 60 }, () => ask({ secret: 'db', version: '1' })));
  const refused = answers.filter(({ status }) => status === 'rejected');
  assert.ok(refused.length > 0 && refused.length <= 20);
  for (const answer of refused) assert.ok(answer.status === 'rejected' && answer.reason.code === 'VOLUME_BUSY');
});
