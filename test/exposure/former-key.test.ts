import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exposures } from '../../operator/exposure/exposures.ts';
import { KeysStage, look } from '../rotate/keys-stage.ts';

test('a former key that somebody stole: its values are exposed to the operator, and no new key is made, for people seal to another', async (t) => {
  const stage = await KeysStage.open(t);
  await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
  await stage.ask();
  await look(stage.operator());
  await stage.collect();
  await look(stage.operator());
  const [newest, former] = stage.listed.keys;
  assert.ok(newest && former);
  const late = stage.manifest('late', { password: 'two' });
  const keys = [newest, { ...former, status: 'revoked' as const }];
  await stage.list((own) => ({ ...own, keys }));
  await stage.commit({ 'late.yaml': late });

  assert.deepEqual(await look(stage.operator()), []);
  await stage.collect();
  assert.equal((await stage.kids()).length, 2);
  assert.deepEqual(
    stage.listed.keys.map(({ kid, status }) => [kid, status]),
    [
      [newest.kid, 'active'],
      [former.kid, 'revoked'],
    ],
  );
  assert.deepEqual(stage.stanzasOf('late.yaml'), { [newest.kid]: 1 });

  const exposures = new Exposures({
    ...{ cluster: 'production', stateDirectory: stage.root, store: stage.store, sources: [stage.source] },
    ...{ audit: { append: async () => undefined }, log: { info: () => undefined } },
  });
  t.after(() => exposures.close());
  await exposures.look();
  await exposures.settled();
  assert.equal(exposures.status().exposure?.[0]?.live, 2);
});
