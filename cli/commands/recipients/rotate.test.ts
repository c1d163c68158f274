import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readRecipient } from '../../../core/keys/recipient.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { timestamp } from '../../../core/timestamp.ts';
import type { Desk } from '../../../test/cli/desk.ts';
import { deskForEach, keysIn, makeSecrets } from '../../../test/cli/desk-for-each.ts';
import { proposedRotation } from '../../../test/cli/proposed-rotation.ts';

const PRODUCTION = '.coffer/recipients/production.yaml';
const FILES = ['apps/db.yaml', 'apps/queue.yaml'];

/** A repository with a cluster, whose keys are in a folder of its name, a person, whose keys are here, and two manifests. */
let desk: Desk;
deskForEach(
  (begun) => {
    begun.coffer(['recipients', 'create', 'production', '--type', 'cluster', ...keysIn(begun, 'production')]);
    begun.coffer(['recipients', 'create', 'ada', '--type', 'person']);
    begun.coffer(['recipients', 'create', 'team', '--type', 'group', '--member', 'ada']);
    makeSecrets(begun, ['db', 'queue'], ['production', 'ada', 'team']);
  },
  (copy) => {
    desk = copy;
  },
);

const recipient = (name = 'production') => {
  const file = `.coffer/recipients/${name}.yaml`;
  return readRecipient(Buffer.from(desk.read(file)), file);
};
const statuses = (name?: string) => recipient(name).keys.map(({ status }) => status);
const opens = (keys: string[] = []) => FILES.map((file) => desk.try(['get', file, 'password', ...keys]).stdout);
const asProduction = () => keysIn(desk, 'production');
const json = (args: string[]) => {
  const ran = desk.try([...args, '--json']);
  return { status: ran.status, ...JSON.parse(ran.stdout) };
};

describe('coffer recipients rotate', () => {
  test('of a cluster commits a request, once; with --revoke the key is revoked in the same commit, and nobody seals to it', async () => {
    const args = ['recipients', 'rotate', 'production', '--key-dir', join(desk.home, 'nothing')];
    const asked = json(args);
    const kid = recipient().keys[0]?.kid ?? '';
    assert.deepEqual([asked.status, asked.request, asked.revoked], [0, `rotate-production-${kid.slice(0, 16)}`, []]);
    assert.deepEqual(statuses(), ['active']);
    assert.equal(json(args).commit, null);
    const revoked = json([...args, '--revoke', '--reason', 'INC-1: "a laptop"']);
    assert.deepEqual(revoked.revoked, [kid]);
    assert.deepEqual(statuses(), ['revoked']);
    assert.match(
      desk.read(`.coffer/requests/${asked.request}.yaml`),
      /revoke: true\n {4}reason: "INC-1: \\"a laptop\\""\n/,
    );
    assert.deepEqual(desk.git('show', '--name-only', '--format=%s', 'HEAD').trim().split('\n'), [
      'Revoke the key of production, and rotate it',
      '',
      PRODUCTION,
      `.coffer/requests/${asked.request}.yaml`,
    ]);
    assert.equal(json(args).commit, null, 'asking for less changes nothing');
    const sealed = desk.try(['set', 'apps/db.yaml', 'password', '--json'], { input: 'other' });
    const { code, advice } = JSON.parse(sealed.stdout).error;
    assert.equal(code, 'RECIPIENT_NO_ACTIVE_KEY');
    assert.match(advice, /coffer recipients rewrap production/);
    assert.deepEqual(opens(), ['db-secret', 'queue-secret']);
    assert.deepEqual(opens(asProduction()), ['db-secret', 'queue-secret']);
  });

  test('with --revoke revokes every key that it ever had, says which, and asks for another', () => {
    desk.coffer(['recipients', 'rotate', 'production', ...asProduction()]);
    const [newest, former] = recipient().keys.map(({ kid }) => kid);
    const ran = desk.try(['recipients', 'rotate', 'production', '--revoke', '--reason', 'INC-1']);
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, /^revoked 2 keys of production; nobody seals to production for now$/m);
    for (const kid of [newest, former]) assert.match(ran.stdout, new RegExp(`^ {2}revoked {4}${kid}$`, 'm'));
    assert.match(ran.stderr, new RegExp(`coffer exposure --key ${newest} --key ${former}$`, 'm'));
    assert.deepEqual(statuses(), ['revoked', 'revoked']);
    const subject = 'Revoke 2 keys of production, and rotate it';
    assert.equal(desk.git('log', '-1', '--format=%B').trim(), `${subject}\n\nINC-1\n\nKey: ${newest}\nKey: ${former}`);
    assert.deepEqual(json(['recipients', 'rotate', 'production', '--revoke']).revoked, []);
  });

  test('with --revoke --key revokes those keys alone: of a former one all is exposed that it could open, and sealing goes on', () => {
    desk.coffer(['recipients', 'rotate', 'production', ...asProduction()]);
    const [newest = '', former = ''] = recipient().keys.map(({ kid }) => kid);
    // Something that came meanwhile is still sealed to it: the commit passes the hook all the same.
    desk.git('checkout', '--quiet', 'HEAD~1', '--', 'apps/db.yaml');
    desk.commit('An old branch');
    const revoke = (...keys: string[]) =>
      json(['recipients', 'rotate', 'production', '--revoke', ...keys.flatMap((key) => ['--key', key])]);
    const done = revoke(former.slice(0, 8));
    assert.deepEqual([done.status, done.request, done.revoked], [0, null, [former]]);
    assert.deepEqual(statuses(), ['active', 'revoked']);
    assert.equal(desk.git('log', '-1', '--format=%B').trim(), `Revoke the key of production\n\nKey: ${former}`);
    assert.equal(desk.git('ls-files', '.coffer/requests'), '');
    const { exposed, keys } = JSON.parse(desk.coffer(['exposure', '--json']));
    assert.deepEqual([exposed, keys.map((key: { kid: string }) => key.kid)], [2, [former]]);
    assert.match(desk.try(['check']).stdout, /CHECK_STANZA_REVOKED/);
    desk.coffer(['set', 'apps/db.yaml', 'password'], 'other');
    assert.ok(desk.read('apps/db.yaml').includes(`production: "${newest}:`));
    assert.deepEqual(revoke(former).files, []);
    assert.equal(revoke('beef'.repeat(8)).error.code, 'KEY_ID_UNKNOWN');
    const usage = desk.try(['recipients', 'rotate', 'production', '--key', former]);
    assert.deepEqual([usage.status, statuses()], [2, ['active', 'revoked']]);
    const rest = revoke(newest);
    assert.deepEqual([rest.revoked, rest.request], [[newest], `rotate-production-${newest.slice(0, 16)}`]);
  });

  test('where the identity is at hand makes the key, and seals all of one’s own to it: manifests, and seeds of groups', () => {
    const [former] = recipient('ada').keys;
    const before = desk.read('apps/db.yaml');
    const rotated = json(['recipients', 'rotate', 'ada']);
    assert.equal(rotated.status, 0);
    assert.deepEqual(statuses('ada'), ['active', 'retired']);
    assert.equal(recipient('ada').keys[0]?.kid, rotated.keyId);
    assert.deepEqual(rotated.files.toSorted(), [
      '.coffer/recipients/ada.yaml',
      '.coffer/recipients/team.yaml',
      ...FILES,
    ]);
    assert.equal(desk.git('status', '--porcelain'), '');
    for (const text of [...FILES.map((file) => desk.read(file)), desk.read('.coffer/recipients/team.yaml')]) {
      assert.ok(!text.includes(`${former?.kid}:`) && text.includes(`${rotated.keyId}:`));
    }
    const masked = (text: string) => text.replace(/ada: "[^"]*"/g, 'ada: …');
    assert.equal(masked(desk.read('apps/db.yaml')), masked(before));
    assert.deepEqual(opens(), ['db-secret', 'queue-secret']);
    desk.coffer(['check']);
  });

  test('where a request says that the key was stolen makes one of a later time, by whatever clock that was, or none', () => {
    const { request } = json(['recipients', 'rotate', 'production', '--revoke', '--request']);
    const file = `.coffer/requests/${request}.yaml`;
    const from = (minutes: number) => timestamp(new Date(Date.now() + minutes * 60_000));
    const asked = (created: string) => {
      desk.write(file, desk.read(file).replace(/created: "[^"]+"/, `created: "${created}"`));
      desk.git('commit', '-qam', 'Asked by another clock');
    };
    asked(from(600));
    const refused = json(['recipients', 'rotate', 'production', ...asProduction()]);
    assert.equal(refused.error.code, 'ROTATE_REQUEST_AHEAD');
    assert.equal(desk.git('status', '--porcelain'), '');
    const ahead = from(3);
    asked(ahead);
    assert.equal(json(['recipients', 'rotate', 'production', ...asProduction()]).status, 0);
    assert.deepEqual(statuses(), ['active', 'revoked']);
    assert.ok((recipient().keys[0]?.created ?? '') > ahead);
    assert.equal(existsSync(join(desk.folder, file)), false);
    assert.deepEqual(opens(asProduction()), ['db-secret', 'queue-secret']);
    desk.coffer(['check']);
  });

  test('of a group makes a new key for its members, and seals its manifests to it', () => {
    const rotated = json(['recipients', 'rotate', 'team', '--revoke']);
    assert.deepEqual([rotated.status, rotated.secret], [0, null]);
    assert.deepEqual(statuses('team'), ['active', 'revoked']);
    assert.ok(FILES.every((file) => desk.read(file).includes(`team: "${rotated.keyId}:`)));
    desk.coffer(['check']);
  });

  test('of a person whose identity is elsewhere is refused, except that a stolen key is revoked', () => {
    const elsewhere = ['--key-dir', join(desk.home, 'production')];
    assert.equal(json(['recipients', 'rotate', 'ada', ...elsewhere]).error.code, 'ROTATE_NEEDS_IDENTITY');
    const revoked = json(['recipients', 'rotate', 'ada', '--revoke', ...elsewhere]);
    assert.deepEqual([revoked.status, revoked.request, statuses('ada')], [0, null, ['revoked']]);
    assert.deepEqual(revoked.groups, ['team'], 'its key is in the wrong hands, too');
    assert.equal(json(['recipients', 'rotate', 'ada']).status, 0);
    assert.deepEqual(statuses('ada'), ['active', 'revoked']);
  });
});

describe('coffer recipients rewrap', () => {
  const asked = () => desk.coffer(['recipients', 'rotate', 'production']);

  test('takes over key and stanzas, with what came meanwhile as it is, removes the request, and commits; a second time changes nothing', async () => {
    asked();
    const file = await proposedRotation(desk, FILES);
    desk.edit('apps/db.yaml', 'spec:', 'spec: # reviewed');
    desk.edit(PRODUCTION, /$/, '  rotation: {every: 90d}\n');
    desk.coffer(['new', 'payments/late', '--reader', 'api', '-o', 'apps/late.yaml', '--recipient', 'production']);
    desk.coffer(['set', 'apps/late.yaml', 'password'], 'late');
    desk.commit('Meanwhile');
    const args = ['recipients', 'rewrap', 'production', '--from-file', file];
    const would = json([...args, '--dry-run']);
    assert.equal(desk.git('status', '--porcelain'), '', 'a dry run changes nothing');
    const done = json(args);
    assert.equal(done.status, 0, JSON.stringify(done));
    assert.deepEqual([would.files, would.keyId, would.commit], [done.files, done.keyId, null]);
    assert.equal(done.keyId, recipient().keys[0]?.kid);
    assert.deepEqual(statuses(), ['active', 'retired']);
    assert.equal(desk.git('ls-files', '.coffer/requests'), '');
    assert.equal(desk.git('status', '--porcelain'), '');
    assert.match(desk.read(PRODUCTION), /every: 90d/);
    assert.match(desk.read('apps/db.yaml'), /spec: # reviewed/);
    for (const path of FILES) assert.ok(desk.read(path).includes(`production: "${done.keyId}:`));
    assert.deepEqual(opens(asProduction()), ['db-secret', 'queue-secret']);
    assert.deepEqual([json(args).commit, json(args).status], [null, 0]);
    desk.coffer(['set', 'apps/db.yaml', 'password'], 'new');
    assert.equal(desk.try(['get', 'apps/db.yaml', 'password', ...asProduction()]).stdout, 'new');
    desk.coffer(['check']);
  });

  test('takes nothing that is not of the pinned identity, or not for that cluster alone', async () => {
    asked();
    const other = recipient('ada');
    const changes: [code: string, change: (proposal: Proposal) => Proposal][] = [
      [
        'PROPOSAL_IDENTITY',
        (one) => ({
          ...one,
          recipient: {
            name: 'production',
            text: renderRecipient({ ...recipient(), identity: other.identity, keys: [] }),
          },
        }),
      ],
      [
        'RECIPIENT_ENDORSEMENT',
        (one) => ({
          ...one,
          recipient: { name: 'production', text: (one.recipient?.text ?? '').replace(/created: "20/, 'created: "21') },
        }),
      ],
      ['PROPOSAL_FOREIGN', (one) => ({ ...one, recipient: { name: 'ada', text: renderRecipient(other) } })],
      [
        'PROPOSAL_FOREIGN',
        (one) => ({
          ...one,
          stanzas: new Map([...one.stanzas].map(([id, row]) => [id, new Map([['ada', [...row.values()][0] ?? '']])])),
        }),
      ],
      ['PROPOSAL_OTHER', (one) => ({ ...one, cluster: 'staging' })],
      ['PROPOSAL_OTHER', (one) => ({ ...one, id: 'rewrap-staging' })],
    ];
    for (const [code, change] of changes) {
      const refused = json([
        'recipients',
        'rewrap',
        'production',
        '--from-file',
        await proposedRotation(desk, FILES, change),
      ]);
      assert.equal(refused.error?.code, code);
    }
    desk.coffer(['recipients', 'create', 'staging', '--type', 'cluster', ...asProduction()]);
    const forged = await proposedRotation(desk, FILES, (one) => one, 'staging');
    const refused = json(['recipients', 'rewrap', 'production', '--from-file', forged]);
    assert.equal(refused.error?.code, 'PROPOSAL_IDENTITY');
    desk.commit('Another cluster');
    desk.write('../pins', 'ada coffer-identity-1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n');
    const args = ['recipients', 'rewrap', 'production', '--from-file', await proposedRotation(desk, FILES), '--json'];
    const unpinned = desk.try(args, { env: { COFFER_PINS: join(desk.home, 'no-pins') } });
    assert.equal(JSON.parse(unpinned.stdout).error.code, 'RECIPIENT_UNPINNED');
  });

  test('says with exit code 1 that nothing is there yet, and with 0 that nothing is to be done', async () => {
    // As an operator leaves it that proposes nothing (any more).
    const from = (...path: string[]) => ['recipients', 'rewrap', 'production', '--from-file', join(desk.home, ...path)];
    const args = from('rewrap-production.jsonl');
    assert.deepEqual([json(args).status, json(args).awaited], [0, false]);
    asked();
    assert.deepEqual([json(args).status, json(args).awaited], [1, true]);
    assert.equal(json(from('mistyped', 'rewrap-production.jsonl')).error.code, 'FILE_SYSTEM');
    assert.equal(json(['recipients', 'rewrap', 'production']).error.code, 'PUBLISHED_FROM_WHERE');
  });
});
