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

test('of a rotator’s entries a lost rotation left all, or it left none of them', async () => {
  await sodiumReady();
  const home = { namespace: 'payments', name: 'db' };
  const rule = { rotation: { password: { rotator: 'db' } } };
  const users: [string, string] = ['app_a', 'app_b'];
  const entries = { username: 'username', password: 'password' };
  const postgres = { urlFile: '/nowhere', users, entries };
  const rotators = new Rotators([{ name: 'db', secrets: ['payments/db'], postgres }], () => undefined);
  const recover = (former: Record<string, string>) => {
    const data = { username: 'app_a', password: 'current', ...former };
    const text = sealedManifest({ ...home, to: [testCluster('production')], data });
    const placed = placedIn(Buffer.from(withSpec(text, rule)), 'db.json', home);
    return placed && recoveredRotation(placed, 'source', rotators);
  };
  assert.throws(() => recover({ 'password.previous': 'by hand' }), { code: 'ROTATE_FORMER_UNPROVEN' });
  const whole = recover({ 'username.previous': 'app_b', 'password.previous': 'former' });
  assert.deepEqual(whole?.former, ['username.previous', 'password.previous']);
  assert.equal(whole.rotation.step, 'landed');
  assert.equal(recover({}), undefined);
});
