import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { storeSecretKey } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { PART_FIELD } from '../../core/requests/published.ts';
import { joinRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import type { KubeObject } from '../../operator/kubernetes/resource.ts';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { recipientFiles, testCluster } from '../support/secrets.ts';
import { Engineer } from './scene/engineer.ts';
import { Onlooker } from './scene/onlooker.ts';
import { KubernetesStage } from './scene/stage.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** As JSON. */
function stanzasIn(map: ConfigMap | undefined): string {
  const part: { stanzas?: object } = JSON.parse(map?.data?.[PART_FIELD] ?? '{}');
  return JSON.stringify(part.stanzas);
}

test('another cluster opens what this one can, by a request that this one fulfils and its person collects', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { site, cluster, home, app } = stage;
  const engineer = await Engineer.open();
  t.after(() => engineer.remove());
  engineer.knows({ production: cluster, staging: cluster });
  const { production } = site;
  const identity = identityText(production.recipient.identity);
  engineer.coffer(['init']);
  for (const [path, text] of Object.entries(recipientFiles(production))) engineer.write(path, text);
  engineer.coffer(['recipients', 'pin', 'production', '--identity', identity]);
  engineer.coffer(['new', `${app}/db`, '--recipient', 'production', '--reader', 'api', '-o', 'db.yaml']);
  engineer.coffer(['set', 'db.yaml', 'password'], 'for both');
  engineer.commit('Begin');

  const staging = testCluster('staging');
  const stagingIdentity = identityText(staging.recipient.identity);
  engineer.write('../announced.yaml', renderRecipient(staging.recipient));
  const announced = ['--from-file', join(engineer.home, 'announced.yaml')];
  engineer.coffer(['recipients', 'enroll', 'staging', ...announced, '--identity', stagingIdentity]);
  engineer.follows('add staging --like production');

  site.configure({
    kubernetes: { kubeconfig: cluster.kubeconfig, namespace: home },
    sources: [{ git: { url: engineer.folder, interval: '1h' } }],
    projections: [{ kubernetesSecrets: { namespaces: [app] } }],
  });
  const maps = await Onlooker.open<ConfigMap>(t, stage.client, RESOURCES.configMaps, home);
  const { identity: confirmed } = staging.recipient;
  const { id } = joinRequest({ recipient: 'staging', identity: confirmed, like: 'production', created: '' });
  const published = `coffer-request-${id}-0`;
  const operator = await site.start();
  await operator.line(({ code }) => code === 'REQUEST_NOT_CONFIRMED');
  assert.equal(maps.get(published), undefined);

  const pins = `production ${identity}\nstaging ${stagingIdentity}\n`;
  writeFileSync(site.path('pins'), pins);
  await operator.wake();
  const original = await maps.until(published, (map) => map !== undefined);

  // Somebody who may write ConfigMaps puts in its place what opens nothing: it is not taken for the operator's own.
  assert.ok(original);
  const part = original.data?.[PART_FIELD] ?? '';
  const spoiled = part.replace(/:([A-Za-z0-9_-]{8})/, ':AAAAAAAA');
  assert.notEqual(spoiled, part);
  const map: ConfigMap = { ...original, data: { [PART_FIELD]: spoiled } };
  await stage.client.replace(RESOURCES.configMaps, map);
  await maps.until(published, (map) => stanzasIn(map) !== stanzasIn(original));
  engineer.write('README.md', 'another commit');
  engineer.commit('Write down');
  await operator.wake();
  await maps.until(published, (map) => stanzasIn(map) === stanzasIn(original));
  engineer.follows('add staging --like production --collect', `--namespace ${home}`);
  const keys = join(engineer.home, 'staging-keys');
  await storeSecretKey(keys, staging.seed);
  assert.equal(engineer.coffer(['get', 'db.yaml', 'password', '--key-dir', keys]), 'for both');
  assert.deepEqual([engineer.git('status', '--porcelain'), engineer.git('ls-files', '.coffer/requests')], ['', '']);
  assert.equal(engineer.try(['check', '--strict']).status, 0);

  await operator.wake();
  await maps.until(published, (map) => map === undefined);
  const record = site.audit().filter(({ action }) => action === 'rewrap');
  assert.deepEqual(
    record.map(({ event, recipient, name, outcome }) => [event, recipient, name, outcome]),
    [
      ['secret.intent', 'staging', 'db', undefined],
      ['secret.outcome', 'staging', 'db', 'written'],
    ],
  );
  assert.equal(await operator.end(), 0);
});

test('a replica that takes over without a state knows which keys were given up, and seals nothing to them', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { site } = stage;
  const staging = testCluster('staging');
  const { identity } = staging.recipient;
  writeFileSync(site.path('pins'), `staging ${identityText(identity)}\n`);
  const [path = '', stolen = ''] = Object.entries(recipientFiles(staging))[0] ?? [];
  const db = stage.files({ name: 'db', to: [site.production, staging], data: { a: 'one' } });
  await stage.commit({ ...db, [path]: stolen.replace('status: active', 'status: revoked') });
  const first = await stage.startAndProject();
  assert.equal(await first.end(), 0);

  rmSync(site.path('state'), { recursive: true });
  const request = joinRequest({ recipient: 'staging', identity, like: 'production', created: '2026-11-21T09:00:00Z' });
  await stage.commit({ [path]: stolen, [requestFile(request.id)]: renderRequest(request) });
  const second = await stage.start();
  const { msg } = await second.line(({ code }) => String(code).startsWith('REQUEST_') || code === 'BUG');
  assert.match(String(msg), /is active, and was revoked before/);
  assert.deepEqual(
    site.audit().filter(({ action }) => action === 'rewrap'),
    [],
  );
});
