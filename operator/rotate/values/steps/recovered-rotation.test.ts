import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sodiumReady } from '../../../../core/crypto/sodium.ts';
import { withSpec } from '../../../../test/rotate/rotating.ts';
import { sealedManifest, testCluster } from '../../../../test/support/secrets.ts';
import { Rotators } from '../../rotators/configured.ts';
import { placedIn } from '../rotating-manifests.ts';
import { recoveredRotation } from './recovered-rotation.ts';

test('whoever may write values has no program revoke a credential of their choice, as the former one of a lost rotation', async () => {
  await sodiumReady();
  const home = { namespace: 'payments', name: 'mail' };
  const data = { token: 'current', 'token.previous': 'chosen' };
  const text = sealedManifest({ ...home, to: [testCluster('production')], data });
  const rule = { rotation: { token: { rotator: 'mail' } } };
  const placed = placedIn(Buffer.from(withSpec(text, rule)), 'mail.json', home);
  const command = { run: ['/bin/true'], timeout: '1s' };
  const rotators = new Rotators([{ name: 'mail', secrets: ['payments/mail'], command }], () => undefined);
  assert.ok(placed);
  assert.throws(() => recoveredRotation(placed, 'source', rotators), { code: 'ROTATE_FORMER_UNPROVEN' });
});
