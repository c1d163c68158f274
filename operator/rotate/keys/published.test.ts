import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import { withNewKey } from '../../../core/keys/new-key.ts';
import { proposalParts } from '../../../core/rotation/proposal.ts';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';
import { testCluster } from '../../../test/support/secrets.ts';

/** A second key that the keyring lists, and a manifest that is sealed to the first. */
async function rotatedElsewhere(t: TestContext): Promise<KeysStage> {
  const stage = await KeysStage.open(t);
  const { key, seed } = stage.anotherKey('2026-11-21T09:30:00Z');
  await storeSecretKey(join(stage.root, 'keys'), seed);
  await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
  await stage.list((recipient) => withNewKey(recipient, key, { formerStatus: 'retired' }));
  return stage;
}

describe('what is published', () => {
  test('counts for the operator itself only while its identity signed it: what another put there is made anew', async (t) => {
    const stage = await rotatedElsewhere(t);
    await look(stage.operator());
    const genuine = stage.proposal();
    assert.ok(genuine);
    const file = join(stage.root, 'proposals', 'rewrap-production.jsonl');
    const published = readFileSync(file, 'utf8');
    const other = testCluster('production');
    const stanzas = new Map(
      Array.from(genuine.stanzas, ([id, row]) => [
        id,
        new Map(Array.from(row, ([name, text]) => [name, text.replace(/.{8}$/, 'AAAAAAAA')])),
      ]),
    );
    for (const [signer, isKept] of [
      [stage.production, true],
      [other, false],
    ] as const) {
      writeFileSync(file, `${proposalParts({ ...genuine, stanzas }, signer.identitySeed).join('\n')}\n`);
      await look(stage.operator());
      assert.equal(isKept, [...(stage.proposal()?.stanzas.values() ?? [])][0]?.get('production')?.endsWith('AAAAAAAA'));
    }
    assert.notEqual(readFileSync(file, 'utf8'), published, 'sealed anew');
    await stage.collect();
    assert.deepEqual(await stage.values('db.yaml'), { password: 'one' });
  });

  test('is nothing where there is no identity to sign it, which is said; and comes when it is there', async (t) => {
    const stage = await rotatedElsewhere(t);
    const { store } = stage;
    store.readIdentity = async () => undefined;
    const operator = stage.operator({ store });
    assert.deepEqual(await look(operator), ['PROPOSAL_NO_IDENTITY']);
    assert.match(operator.troubles()[0]?.advice ?? '', /identity of production/);
    assert.equal(stage.proposal(), undefined);
    assert.deepEqual(await look(stage.operator()), []);
    assert.equal(stage.proposal()?.stanzas.size, 1);
  });
});
