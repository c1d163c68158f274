import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { readRecipient } from '../../../core/keys/recipient.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { Desk } from '../../../test/cli/desk.ts';
import { proposedRotation } from '../../../test/cli/proposed-rotation.ts';

const PRODUCTION = '.coffer/recipients/production.yaml';
const FILES = ['apps/db.yaml', 'apps/queue.yaml'];

/** A repository with a cluster, whose keys are in a folder of its name, a person, whose keys are here, and two manifests. */
let template: Desk;
let desk: Desk;

before(async () => {
  await sodiumReady();
  template = new Desk();
  template.installCoffer();
  template.coffer(['init']);
  const keysOf = (name: string) => ['--key-dir', join(template.home, name)];
  template.coffer(['recipients', 'create', 'production', '--type', 'cluster', ...keysOf('production')]);
  template.coffer(['recipients', 'create', 'ada', '--type', 'person']);
  template.coffer(['recipients', 'create', 'team', '--type', 'group', '--member', 'ada']);
  for (const [index, file] of FILES.entries()) {
    template.coffer([
      'new',
      `payments/${index === 0 ? 'db' : 'queue'}`,
      '--reader',
      'api',
      '-o',
      file,
      '--recipient',
      'production',
      '--recipient',
      'ada',
      '--recipient',
      'team',
    ]);
    template.coffer(['set', file, 'password'], `secret-${index}`);
  }
  template.commit('Begin');
});

after(() => template.remove());

beforeEach(() => {
  desk?.remove();
  desk = new Desk(template);
});

after(() => desk.remove());

const recipient = (name = 'production') => {
  const file = `.coffer/recipients/${name}.yaml`;
  return readRecipient(Buffer.from(desk.read(file)), file);
};
const statuses = (name?: string) => recipient(name).keys.map(({ status }) => status);
const opens = (keys: string[] = []) => FILES.map((file) => desk.try(['get', file, 'password', ...keys]).stdout);
const asProduction = () => ['--key-dir', join(desk.home, 'production')];
const json = (args: string[]) => {
  const ran = desk.try([...args, '--json']);
  return { status: ran.status, ...JSON.parse(ran.stdout) };
};

describe('coffer recipients rotate', () => {
  test('of a cluster commits a request, once; with --revoke the key is revoked in the same commit, and nobody seals to it', async () => {
    const args = ['recipients', 'rotate', 'production', '--key-dir', join(desk.home, 'nothing')];
    const asked = json(args);
    const kid = recipient().keys[0]?.kid ?? '';
    assert.deepEqual([asked.status, asked.request, asked.revoked], [0, `rotate-production-${kid.slice(0, 16)}`, null]);
    assert.deepEqual(statuses(), ['active']);
    assert.equal(json(args).commit, null);
    const revoked = json([...args, '--revoke', '--reason', 'INC-1: "a laptop"']);
    assert.equal(revoked.revoked, kid);
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
    assert.deepEqual(opens(), ['secret-0', 'secret-1']);
    assert.deepEqual(opens(asProduction()), ['secret-0', 'secret-1']);
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
    assert.deepEqual(opens(), ['secret-0', 'secret-1']);
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
    const done = json(args);
    assert.equal(done.status, 0, JSON.stringify(done));
    assert.equal(done.keyId, recipient().keys[0]?.kid);
    assert.deepEqual(statuses(), ['active', 'retired']);
    assert.equal(desk.git('ls-files', '.coffer/requests'), '');
    assert.equal(desk.git('status', '--porcelain'), '');
    assert.match(desk.read(PRODUCTION), /every: 90d/);
    assert.match(desk.read('apps/db.yaml'), /spec: # reviewed/);
    for (const path of FILES) assert.ok(desk.read(path).includes(`production: "${done.keyId}:`));
    assert.deepEqual(opens(asProduction()), ['secret-0', 'secret-1']);
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
    writeFileSync(join(desk.home, 'empty.jsonl'), '');
    const args = ['recipients', 'rewrap', 'production', '--from-file', join(desk.home, 'empty.jsonl')];
    assert.deepEqual([json(args).status, json(args).awaited], [0, false]);
    asked();
    assert.deepEqual([json(args).status, json(args).awaited], [1, true]);
    assert.equal(json(['recipients', 'rewrap', 'production']).error.code, 'PUBLISHED_FROM_WHERE');
  });
});
