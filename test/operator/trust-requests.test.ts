import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import { askedOf } from '../../operator/requests/asked.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import { TrustSite } from './trust-site.ts';

test('a request to seal for somebody counts when a signer committed it who may, and so does a change of the keyring', async (t) => {
  const grants = [
    { signers: ['root'], may: ['values', 'keyring', 'requests'] },
    { signers: ['ada'], may: ['values', 'readers', 'recipients'] },
  ];
  const host = await TrustSite.open(t, { people: ['root', 'ada'], policy: { grants } });
  const { site } = host;
  const first = await host.commit('root', { 'db.yaml': host.manifest('db', 'one') });
  const trust = { mode: 'strict', perPath: true, policy: site.path('policy.yaml'), firstCommit: first } as const;
  const source = await openGitSource({ url: site.tree.directory, trust }, site.path('state'));
  t.after(() => source.close());
  const { recipient } = site.staging;
  const { name, identity } = recipient;
  const request = joinRequest({ recipient: name, identity, like: 'production', created: '2026-01-01T00:00:00Z' });
  const look = async () => {
    await source.poll(t.signal);
    const state = await source.accepted();
    assert.ok(state !== undefined);
    const asked = await askedOf(source, state, 'production');
    return { requests: asked.requests.map(({ id }) => id), ring: [...asked.keyring.recipients.keys()].sort() };
  };
  assert.deepEqual(await look(), { requests: [], ring: ['production', 'staging'] });
  const file = { [requestFile(request.id)]: renderRequest(request) };
  await host.commit('ada', { ...file, [site.production.recipient.file]: null });
  assert.deepEqual(await look(), { requests: [], ring: ['production', 'staging'] });
  assert.deepEqual(
    new Set(source.held.map(({ path }) => path)),
    new Set([requestFile(request.id), site.production.recipient.file]),
  );
  await host.commit('root', { [requestFile(request.id)]: `${renderRequest(request)}# looked at\n` });
  assert.deepEqual(await look(), { requests: [request.id], ring: ['production', 'staging'] });
});
