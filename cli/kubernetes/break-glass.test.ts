import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakGlass } from './break-glass.ts';

test('a person’s token goes nowhere without TLS', async () => {
  const asked = { cluster: 'production', operatorNamespace: 'coffer-system', namespace: 'payments', name: 'db' };
  for (const url of ['http://127.0.0.1:8790', '127.0.0.1:8790', 'nonsense'])
    await assert.rejects(breakGlass({ ...asked, url, entry: 'password', reason: 'INC-42' }), {
      code: 'BREAK_GLASS_URL',
    });
});
