import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { apply, openCarried } from './scene/carrier.ts';

interface Copy {
  metadata: { namespace: string; name: string; labels?: Record<string, string> };
  spec: { namespaces?: string[]; readers?: object[] };
}

/** What Eve, who may write objects in her namespace only, makes of those that she can read in git. */
const COPIES: [what: string, of: 'db' | 'wide', change: (copy: Copy, eves: string, others: string) => void][] = [
  ['as it is', 'db', () => {}],
  ['under another name', 'db', ({ metadata }) => Object.assign(metadata, { name: 'mine' })],
  ['with a reader of hers', 'db', ({ spec }) => Object.assign(spec, { readers: [{ name: 'eve' }] })],
  [
    'as if the operator had mirrored it',
    'db',
    ({ metadata }) => Object.assign(metadata, { labels: { 'coffer.dev/mirror': 'true' } }),
  ],
  ['of what is sealed to the cluster, as it is', 'wide', () => {}],
  [
    'of what is sealed to the cluster, for her namespace',
    'wide',
    ({ spec }, eves) => Object.assign(spec, { namespaces: [eves] }),
  ],
  [
    'of what is sealed to the cluster, for the others’ under another name',
    'wide',
    ({ metadata, spec }, _, others) => {
      metadata.name = 'db-2';
      spec.namespaces = [others];
    },
  ],
];

test('a manifest that is copied into an object by who may write objects of another namespace shows nothing and moves nothing', async (t) => {
  const stage = await openCarried(t, { apps: 2, carriedBy: 'operator' });
  if (stage === undefined) return;
  const [others = '', eves = ''] = stage.apps;
  const manifests = {
    db: stage.manifest({ name: 'db', readers: ['api'], data: { password: 'one' } }),
    wide: stage.manifest({ name: 'wide', scope: 'cluster', namespaces: [others], data: { password: 'two' } }),
  };
  const operatorsOwn = stage.manifest({ namespace: eves, name: 'own', data: { password: 'three' } });
  await stage.commit({ 'db.yaml': manifests.db, 'wide.yaml': manifests.wide, 'own.yaml': operatorsOwn });
  const operator = await stage.startAndProject();
  await stage.secretIs(others, 'db', { password: 'one' });
  await stage.secretIs(others, 'wide', { password: 'two' });
  await stage.secretIs(eves, 'own', { password: 'three' });
  const secrets = await stage.secrets(eves);
  const theirs = await stage.secrets(others);
  const before = theirs.history.length;
  for (const [what, of, change] of COPIES) {
    const copy = JSON.parse(manifests[of]) as Copy;
    copy.metadata.namespace = eves;
    change(copy, eves, others);
    const { name } = copy.metadata;
    await apply(stage, JSON.stringify(copy));
    const { reason } = await stage.condition(eves, name, 'Ready', { status: 'False' });
    assert.match(reason, /^ObjectNoCommit$/, what);
    assert.deepEqual(secrets.names(), ['own'], what);
    await stage.kubectl('-n', eves, 'delete', 'encryptedsecret', name);
    await (await stage.watch(RESOURCES.encryptedSecrets, eves)).until(name, (object) => object === undefined);
  }
  assert.equal(theirs.history.length, before, 'something was written where she may not write');
  assert.equal(await operator.end(), 0, operator.output);
});
