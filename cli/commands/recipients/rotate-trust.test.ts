import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { Desk } from '../../../test/cli/desk.ts';
import { proposedRotation } from '../../../test/cli/proposed-rotation.ts';
import { SigningKey } from '../../../test/cli/signing.ts';

/** A developer, somebody of security, and a cluster that may push: what docs/rotation.md asks a policy to grant, and no more. */
const POLICY = `apiVersion: coffer.dev/v1
kind: TrustPolicy
metadata: {name: secrets}
spec:
  signers: {ssh: {allowedSigners: allowed_signers}}
  grants:
    - {signers: [dev], paths: [/apps/], may: [values, stanzas]}
    - {signers: [security], paths: [/.coffer/recipients/, /.coffer/requests/], may: [keyring, requests]}
    - {signers: [production], paths: [/apps/], may: [stanzas]}
    - {signers: [production], paths: [/.coffer/recipients/production.yaml], may: [keyring]}
    - {signers: [production], paths: ["/.coffer/requests/rotate-production-*.yaml"], may: [requests]}
`;
const FILES = ['apps/db.yaml'];

let desk: Desk;
let proposal: string;

before(async () => {
  await sodiumReady();
  desk = new Desk();
  const signers = ['dev', 'security', 'production'].map((name) => new SigningKey(desk, name));
  mkdirSync(join(desk.home, 'trust'));
  writeFileSync(join(desk.home, 'trust', 'policy.yaml'), POLICY);
  writeFileSync(join(desk.home, 'trust', 'allowed_signers'), signers.map(({ allowed }) => allowed).join(''));
  signers[1]?.use();
  desk.coffer(['init', '--no-hook']);
  desk.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', join(desk.home, 'production')]);
  desk.coffer(['recipients', 'create', 'staging', '--type', 'cluster', '--key-dir', join(desk.home, 'staging')]);
  desk.coffer(['new', 'payments/db', '--recipient', 'production', '--reader', 'api', '-o', 'apps/db.yaml']);
  desk.coffer(['set', 'apps/db.yaml', 'password'], 'one');
  desk.commit('Begin');
  desk.git('branch', 'accepted');
});

after(() => desk.remove());

/** What the policy refuses of the commits since `accepted`, and then they are accepted, or taken back. */
function judged(): string[] {
  const { stdout } = desk.try([
    'check',
    '--trust',
    join(desk.home, 'trust', 'policy.yaml'),
    '--since',
    'accepted',
    '--json',
  ]);
  const found: { trust?: { code: string; aspect?: string }; data: { file: string } }[] = JSON.parse(stdout).findings;
  const refused = found.flatMap(({ trust, data }) => (trust === undefined ? [] : [`${trust.code} ${data.file}`]));
  if (refused.length === 0) desk.git('branch', '--force', 'accepted');
  else desk.git('reset', '--quiet', '--hard', 'accepted');
  return [...new Set(refused)].toSorted();
}

const as = (name: string) => desk.git('config', 'user.signingkey', join(desk.home, `${name}-signing-key.pub`));
const rewrap = () => desk.coffer(['recipients', 'rewrap', 'production', '--from-file', proposal]);

test('a rotation is asked for, revoked and taken over by signers with the role for it, and by nobody else', async () => {
  const keyring = '.coffer/recipients/production.yaml';
  const rotate = (...more: string[]) => {
    const { request } = JSON.parse(desk.coffer(['recipients', 'rotate', 'production', ...more, '--json']));
    return `.coffer/requests/${request}.yaml`;
  };
  as('dev');
  assert.deepEqual(
    [rotate()].map((file) => `TRUST_NOT_GRANTED ${file}`),
    judged(),
  );
  const file = rotate('--revoke');
  assert.deepEqual(judged(), [`TRUST_NOT_GRANTED ${keyring}`, `TRUST_NOT_GRANTED ${file}`]);
  as('security');
  rotate('--revoke', '--reason', 'INC-1');
  assert.deepEqual(judged(), []);

  proposal = await proposedRotation(desk, FILES);
  as('dev');
  rewrap();
  assert.deepEqual(judged(), [`TRUST_NOT_GRANTED ${keyring}`, `TRUST_NOT_GRANTED ${file}`]);
  as('production');
  rewrap();
  assert.deepEqual(judged(), [], 'a cluster that may push needs its own key, its stanzas and its requests');

  desk.coffer(['recipients', 'rotate', 'staging', '--key-dir', join(desk.home, 'staging')]);
  assert.deepEqual(judged(), ['TRUST_NOT_GRANTED .coffer/recipients/staging.yaml']);
  desk.coffer(['set', 'apps/db.yaml', 'password'], 'two');
  desk.commit('A value');
  assert.deepEqual(judged(), ['TRUST_NOT_GRANTED apps/db.yaml']);
});
