import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { uniteKeys } from '../../../core/keys/new-key.ts';
import { readRecipient } from '../../../core/keys/recipient.ts';
import { requestFile } from '../../../core/requests/request.ts';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';

/** What somebody else puts into the keyring: the key that was proposed before anybody knew of the theft. */
async function mergeOld(stage: KeysStage, text: string): Promise<void> {
  const proposed = readRecipient(Buffer.from(text), 'production.yaml');
  await stage.list((own) => uniteKeys(own, proposed) ?? own);
}

/** A rotation that was proposed, and has not been taken over when the key directory is stolen. */
async function withProposed(stage: KeysStage): Promise<{ old: string; kid: string }> {
  await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
  await stage.ask();
  await look(stage.operator());
  const old = stage.proposal()?.recipient?.text ?? '';
  return { old, kid: readRecipient(Buffer.from(old), 'production.yaml').keys[0]?.kid ?? '' };
}

const ORDERS: Record<string, (stage: KeysStage, old: string) => Promise<void>> = {
  'after the operator gave it up': async (stage, old) => {
    await stage.revoke();
    await look(stage.operator());
    await mergeOld(stage, old);
  },
  'before the operator heard of the theft': async (stage, old) => {
    await stage.revoke();
    await mergeOld(stage, old);
  },
  'with the request taken away': async (stage, old) => {
    const request = await stage.revoke();
    await look(stage.operator());
    await mergeOld(stage, old);
    await stage.commit({ [requestFile(request)]: null });
  },
};

describe('a key that lay beside the stolen one', () => {
  for (const [when, story] of Object.entries(ORDERS)) {
    test(`becomes revoked, and another is made, though somebody makes it the active one ${when}`, async (t) => {
      const stage = await KeysStage.open(t);
      const { old, kid } = await withProposed(stage);
      await story(stage, old);
      assert.deepEqual([stage.listed.keys[0]?.kid, stage.listed.keys[0]?.status], [kid, 'active']);
      for (let looks = 0; looks < 2; looks++) {
        await look(stage.operator());
        await stage.collect();
      }
      const statuses = stage.listed.keys.map((key) => [key.kid === kid, key.status].join(' '));
      assert.deepEqual(statuses, ['false active', 'true revoked', 'false revoked']);
      assert.deepEqual(Object.keys(stage.stanzasOf('db.yaml')), [stage.listed.keys[0]?.kid]);
      await look(stage.operator());
      assert.equal(stage.proposal(), undefined);
      assert.equal((await stage.kids()).length, 3);
    });
  }

  test('is not taken over from the proposal of before by anybody, with what the operator remembers lost, too', async (t) => {
    const stage = await KeysStage.open(t);
    const { kid } = await withProposed(stage);
    stage.now = new Date('2026-11-21T12:00:00Z');
    const [stolen] = stage.listed.keys;
    await stage.list((own) => ({ ...own, keys: own.keys.map((key) => ({ ...key, status: 'revoked' })) }));
    const request = await stage.ask({ revoke: true, key: stolen?.kid ?? '', created: '2026-11-21T11:00:00Z' });
    assert.deepEqual(await stage.collect(), []);
    rmSync(join(stage.root, 'key-rotation.json'));
    await look(stage.operator());
    await stage.collect();
    const [made, ...others] = stage.listed.keys;
    assert.deepEqual(
      [made?.status, made?.kid === kid, others.map(({ status }) => status)],
      ['active', false, ['revoked']],
    );
    assert.ok(!(await stage.tree.git('ls-files')).includes(request));
  });
});

describe('a request that says that a key was stolen', () => {
  test('revokes nothing by itself: who may write requests need not have the right to the keyring', async (t) => {
    const stage = await KeysStage.open(t);
    const id = await stage.ask({ revoke: true });
    assert.deepEqual(await look(stage.operator()), ['ROTATE_NOT_REVOKED']);
    await stage.collect();
    const [made, former] = stage.listed.keys;
    assert.deepEqual([made?.status, former?.status], ['active', 'retired']);
    await stage.ask({ revoke: true, key: former?.kid ?? '' });
    await look(stage.operator());
    await stage.collect();
    assert.deepEqual(
      stage.listed.keys.map(({ status }) => status),
      ['active', 'retired'],
    );
    assert.deepEqual(stage.told('request.refused'), [`ROTATE_NOT_REVOKED ${id}`]);
  });

  test('of a time to come is not followed until that comes: no key would be of a later one', async (t) => {
    const stage = await KeysStage.open(t);
    const operator = stage.operator();
    await stage.revoke('2026-11-21T12:00:00Z');
    for (let looks = 0; looks < 2; looks++) {
      assert.deepEqual(await look(operator), ['ROTATE_NO_ACTIVE_KEY', 'ROTATE_REQUEST_AHEAD']);
    }
    assert.equal((await stage.kids()).length, 1);
    stage.now = new Date('2026-11-21T12:00:00Z');
    assert.deepEqual(await look(operator), []);
    await stage.collect();
    assert.deepEqual([stage.listed.keys[0]?.created, stage.listed.keys.length], ['2026-11-21T12:00:01Z', 2]);
    await look(operator);
    assert.equal(stage.proposal(), undefined);
  });
});
