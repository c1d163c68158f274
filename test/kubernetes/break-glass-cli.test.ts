import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster } from '../cluster/shared.ts';
import { recipientFiles } from '../support/secrets.ts';
import { openClusterSite } from './cluster-site.ts';
import { Engineer } from './engineer.ts';

const CANARY = 'canary-of-break-glass';

test('coffer get --via reads a value through the operator, which keeps a record of who and why', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const { site, namespace } = await openClusterSite(t, cluster);
  site.configure({
    kubernetes: { kubeconfig: cluster.kubeconfig, namespace },
    projections: [{ volumes: { namespaces: [namespace], listen: '127.0.0.1:0' } }],
  });
  const manifest = site.manifest({ namespace, name: 'payments-db', data: { password: CANARY } });
  await site.tree.commit({ 'payments/payments-db.yaml': manifest });
  const operator = await site.start();
  const { address = '' } = await operator.line(({ msg }) => msg === 'listening for volumes');
  await operator.line(({ msg }) => msg === 'projected a commit' || msg === 'brought back the last good state');

  const engineer = await Engineer.open();
  t.after(() => engineer.remove());
  engineer.coffer(['init']);
  for (const [path, text] of Object.entries(recipientFiles(site.production))) engineer.write(path, text);
  engineer.write('payments/payments-db.yaml', manifest);
  const kubeconfig = await cluster.kubeconfigFor({ namespace, serviceAccount: 'default' });
  engineer.knows({ production: { ...cluster, kubeconfig } });
  const where = `--namespace ${namespace} --url ${address}`;
  const account = `--serviceaccount=${namespace}:default`;
  await cluster.kubectl('create', 'role', 'look', '-n', namespace, '--verb=get', '--resource=configmaps');
  await cluster.kubectl('create', 'rolebinding', 'look', '-n', namespace, '--role=look', account);

  assert.throws(() => engineer.follows('coffer get payments/payments-db.yaml', where), /BREAK_GLASS_FORBIDDEN/);
  const may = ['--verb=break-glass', '--resource=encryptedsecrets.coffer.dev'];
  await cluster.kubectl('create', 'role', 'emergency', '-n', namespace, ...may);
  await cluster.kubectl('create', 'rolebinding', 'emergency', '-n', namespace, '--role=emergency', account);
  assert.equal(engineer.follows('coffer get payments/payments-db.yaml', where).stdout, CANARY);

  const records = site.audit().filter(({ action }) => action === 'read');
  const reason = 'INC-42: the database rejects the password';
  assert.ok(records.some((record) => record.event === 'secret.intent' && record.reason === reason));
  assert.match(JSON.stringify(records.at(-1)), /"outcome":"read"/);
  assert.ok(!JSON.stringify(site.audit()).includes(CANARY) && !operator.output.includes(CANARY));
  assert.equal(await operator.end(), 0);
});
