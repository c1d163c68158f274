import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onDisk, onTmpfs } from '../../../test/operator/tmpfs.ts';
import { openDirectoryProjector } from './open-directory-projector.ts';

test('a secret does not count as removed while an earlier try has left its entries', async (t) => {
  const path = join(onTmpfs(t), 'run');
  const options = { cluster: 'production', stateDirectory: onDisk(t), environment: {} };
  const projector = await openDirectoryProjector({ path, workloads: [{ name: 'shop/api' }] }, options);
  t.after(() => projector.close());
  const audience = [{ workload: 'shop/api', entries: new Set(['a']) }];
  await projector.apply(
    { namespace: 'shop', name: 'db', type: 'Opaque' },
    audience,
    new Map([['a', Buffer.from('1')]]),
  );
  const folder = join(path, 'shop/api');
  fs.renameSync(join(folder, 'db'), join(folder, '..old-0123456789abcdef'));
  assert.deepEqual(await projector.prune('shop', 'db'), [{ workload: 'shop/api', outcome: 'removed' }]);
  assert.deepEqual(fs.readdirSync(folder), []);
});
