/** What an operator follows and pushes to on a real forge, and what it says where the forge refuses it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { type TestContext, test } from 'node:test';
import { ed25519PublicKey } from '../../core/crypto/ed25519.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { renderRequest, requestFile, rotateRequest } from '../../core/requests/request.ts';
import { ed25519Blob } from '../../core/signatures/ssh/sign-message.ts';
import { eventually, type LogLine, type OperatorProcess, Site } from '../operator/site.ts';
import { type Account, Gitea } from '../servers/gitea.ts';
import { generateKey } from '../servers/sshd.ts';
import { ForgeRepository } from './repository.ts';

const projected = (operator: OperatorProcess, commit: string) =>
  operator.line((line) => line.msg === 'projected a commit' && line.commit === commit);

async function trouble(operator: OperatorProcess, code: string): Promise<LogLine> {
  await operator.wake();
  return operator.line((line) => line.code === code);
}

const db = (site: Site, value: string) => ({ 'db.yaml': site.manifest({ name: 'db', data: { a: value } }) });

/** What `coffer recipients rotate` commits. */
function wish(site: Site): Record<string, string> {
  const key = site.production.recipient.keys[0]?.kid ?? '';
  const created = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const request = rotateRequest({ recipient: 'production', key, revoke: false, reason: 'a year has passed', created });
  return { [requestFile(request.id)]: renderRequest(request) };
}

async function overHttps(t: TestContext, forge: Gitea, ada: Account): Promise<void> {
  const site = await Site.open(t);
  const repository = await ForgeRepository.create(forge, ada, 'over-https', site.tree);
  const reader = await forge.account('reader');
  await repository.do('PUT', `/collaborators/${reader.name}`, { permission: 'read' });
  fs.writeFileSync(site.path('token'), await forge.token(reader, 'read:repository'));
  fs.writeFileSync(site.path('hook'), 'the secret\n');
  const webhook = { from: 'gitea', secretFile: 'hook' };
  const git = { url: repository.url, caFile: forge.caFile, bearerFile: 'token', interval: '1h', webhook };
  site.configure({
    sources: [{ git }],
    serve: { listen: '127.0.0.1:0', webhooks: { listen: '127.0.0.1:0' } },
  });
  const one = await repository.commit(db(site, 'one'));
  const operator = await site.start();
  await projected(operator, one);

  const { address } = await operator.line(({ msg }) => msg === 'listening for webhooks');
  const hook = (secret: string) => ({
    ...{ type: 'gitea', active: true, events: ['push'] },
    config: { url: `${address}/webhooks`, content_type: 'json', secret },
  });
  const { id } = await repository.do('POST', '/hooks', hook('another secret'));
  const unheard = await repository.commit(db(site, 'two'));
  await eventually(async () =>
    assert.match(await operator.get('/metrics'), /^coffer_webhook_requests_total\{result="refused"\} 1$/m),
  );
  await repository.do('DELETE', `/hooks/${id}`);
  await repository.do('POST', '/hooks', hook('the secret'));
  await projected(operator, await repository.commit(db(site, 'three')));
  assert.ok(!operator.lines.some(({ commit }) => commit === unheard));

  await forge.revokeToken(reader, 'read:repository');
  assert.match((await trouble(operator, 'SOURCE_UNAUTHORIZED')).msg, /refuses the credentials \(HTTP 401\)/);
  fs.writeFileSync(site.path('token'), reader.token);
  await repository.do('DELETE', `/collaborators/${reader.name}`);
  // To those who may not see it, a repository is not there.
  const missing = await trouble(operator, 'SOURCE_MISSING');
  assert.match(missing.msg, /there is no repository \(HTTP 404\)/);
  assert.match(String(missing.advice), /credentials may not see/);
  await repository.do('PUT', `/collaborators/${reader.name}`, { permission: 'read' });
  await repository.do('PATCH', '/', { name: 'renamed' });
  // The forge leads from the old address to the new one, of the same server.
  await projected(operator, await repository.commit(db(site, 'four')));
  assert.equal(site.read('payments/api/db/a'), 'four');
}

async function byDeployKey(site: Site, forge: Gitea, ada: Account): Promise<void> {
  const repository = await ForgeRepository.create(forge, ada, 'over-ssh', site.tree);
  const { publicLine } = await generateKey(site.path('deploy'), 'ed25519');
  const addKey = (isReader: boolean) =>
    repository.do('POST', '/keys', { title: 'operator', key: publicLine, read_only: isReader });
  fs.writeFileSync(site.path('known_hosts'), forge.knownHosts);
  const git = { url: repository.sshUrl, sshKeyFile: 'deploy', knownHostsFile: 'known_hosts', interval: '1h' };
  site.configure({ sources: [{ git: { ...git, push: {} } }] });
  const asked = await repository.commit({ ...db(site, 'one'), ...wish(site) });
  await repository.do('POST', '/branch_protections', { rule_name: 'main', enable_push: false });

  const reader = await addKey(true);
  let operator = await site.start();
  await projected(operator, asked);
  assert.match((await trouble(operator, 'PUSH_FORBIDDEN')).msg, /may read .* not write .*not authorized to write/);
  await operator.end();

  await repository.do('DELETE', `/keys/${reader.id}`);
  const writer = await addKey(false);
  operator = await site.start();
  const rejected = await trouble(operator, 'PUSH_REJECTED');
  assert.match(rejected.msg, /protected branch main/);
  assert.match(String(rejected.advice), /name another in `push.branch`/);
  await operator.end();
  assert.equal(await repository.head('main'), asked);

  await repository.do('PATCH', '/branch_protections/main', {
    ...{ enable_push: true, enable_push_whitelist: true, push_whitelist_deploy_keys: true },
    require_signed_commits: true,
  });
  operator = await site.start();
  const { commit = '' } = await operator.line(({ msg }) => msg === 'pushed rewrap-production to main');
  await projected(operator, commit);
  // The identity is among the keys that the forge trusts: nobody but the operator could prove to have it.
  const shown = await repository.do('GET', `/git/commits/${commit}`);
  assert.equal(shown.commit.verification.verified, true);
  await repository.do('DELETE', `/keys/${writer.id}`);
  assert.match(String((await trouble(operator, 'SSH_KEY_REFUSED')).advice), /deploy keys/);
  assert.equal(site.read('payments/api/db/a'), 'one');
}

async function byPullRequest(t: TestContext, forge: Gitea, ada: Account): Promise<void> {
  const site = await Site.open(t);
  const repository = await ForgeRepository.create(forge, ada, 'own-branch', site.tree);
  const operatorsAccount = await forge.account('production');
  await repository.do('PUT', `/collaborators/${operatorsAccount.name}`, { permission: 'write' });
  fs.writeFileSync(site.path('username'), operatorsAccount.name);
  fs.writeFileSync(site.path('token'), await forge.token(operatorsAccount, 'write:repository'));
  const credentials = { usernameFile: 'username', passwordFile: 'token', caFile: forge.caFile };
  const push = { branch: 'coffer/production' };
  site.configure({ sources: [{ git: { url: repository.url, ...credentials, interval: '1h', push } }] });
  await repository.commit({ ...db(site, 'one'), ...wish(site) });
  await repository.do('POST', '/branch_protections', { rule_name: 'main', enable_push: false });
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'pushed rewrap-production to coffer/production');
  const { number } = await repository.open(push.branch, 'main');
  const merged = await repository.merge(number, 'main', 'merge');
  await operator.wake();
  await projected(operator, merged);
  await site.tree.git('pull', '-q', 'forge', 'main');
  const file = site.production.recipient.file;
  const { keys } = readRecipient(fs.readFileSync(site.path('repository', file)), file);
  assert.deepEqual(
    keys.map(({ status }) => status),
    ['active', 'retired'],
  );
  assert.equal(site.read('payments/api/db/a'), 'one');
}

test('on Gitea, a private repository', async (t) => {
  const site = await Site.open(t);
  const identity = `ssh-ed25519 ${ed25519Blob(ed25519PublicKey(site.production.identitySeed)).toString('base64')}`;
  const forge = await Gitea.start(t, { trusted: [identity] });
  if (forge === undefined) return;
  const ada = await forge.account('ada');
  await t.test('is followed over https by a token, and looked at when the forge says so', (t) =>
    overHttps(t, forge, ada),
  );
  await t.test('is followed over ssh by a deploy key, and written to as far as the forge lets it', () =>
    byDeployKey(site, forge, ada),
  );
  await t.test('whose branch is protected gets rotations by pull request', (t) => byPullRequest(t, forge, ada));
});
