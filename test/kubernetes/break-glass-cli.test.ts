import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipientFiles } from '../support/secrets.ts';
import { Engineer } from './scene/engineer.ts';
import { KubernetesStage } from './scene/stage.ts';

const CANARY = 'canary-of-break-glass';

test('coffer get --via reads a value through the operator, which keeps a record of who and why', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { site, cluster, home, app } = stage;
  stage.configure({ projections: [{ volumes: { namespaces: [app], listen: '127.0.0.1:0' } }] });
  const manifest = stage.manifest({ name: 'payments-db', data: { password: CANARY } });
  await stage.commit({ 'payments/payments-db.yaml': manifest });
  const operator = await stage.start();
  const { address = '' } = await operator.line(({ msg }) => msg === 'listening for volumes');
  await operator.line(({ msg }) => msg === 'projected a commit' || msg === 'brought back the last good state');

  const engineer = await Engineer.open();
  t.after(() => engineer.remove());
  engineer.coffer(['init']);
  for (const [path, text] of Object.entries(recipientFiles(site.production))) engineer.write(path, text);
  engineer.write('payments/payments-db.yaml', manifest);
  const kubeconfig = await cluster.kubeconfigFor({ namespace: app, serviceAccount: 'default' });
  engineer.knows({ production: { ...cluster, kubeconfig } });
  const where = `--namespace ${home} --url ${address}`;
  const account = `--serviceaccount=${app}:default`;
  await cluster.kubectl('create', 'role', 'look', '-n', home, '--verb=get', '--resource=configmaps');
  await cluster.kubectl('create', 'rolebinding', 'look', '-n', home, '--role=look', account);

  assert.throws(() => engineer.follows('coffer get payments/payments-db.yaml', where), /BREAK_GLASS_FORBIDDEN/);
  const may = ['--verb=break-glass', '--resource=encryptedsecrets.coffer.dev'];
  await cluster.kubectl('create', 'role', 'emergency', '-n', app, ...may);
  await cluster.kubectl('create', 'rolebinding', 'emergency', '-n', app, '--role=emergency', account);
  assert.equal(engineer.follows('coffer get payments/payments-db.yaml', where).stdout, CANARY);

  const records = site.audit().filter(({ action }) => action === 'read');
  const reason = 'INC-42: the database rejects the password';
  assert.ok(records.some((record) => record.event === 'secret.intent' && record.reason === reason));
  assert.match(JSON.stringify(records.at(-1)), /"outcome":"read"/);
  assert.deepEqual(await stage.leaks([CANARY]), []);
  assert.equal(await operator.end(), 0);
});
