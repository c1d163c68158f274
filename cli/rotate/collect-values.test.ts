import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { readIdentity } from '../../core/keys/key-directory.ts';
import { type Proposal, type ProposedValue, proposalParts } from '../../core/rotation/proposal.ts';
import { Desk } from '../../test/cli/desk.ts';

const FILE = 'payments/db.yaml';
const PUBLISHED = 'values-production.jsonl';

let start: Desk;
let desk: Desk;
let proposal: Proposal;
const identities = new Map<string, Buffer>();
const desks: Desk[] = [];

/** What the operator of production made of `password`, whose key nobody has here. */
before(async () => {
  await sodiumReady();
  start = new Desk();
  desks.push(start);
  start.installCoffer();
  start.coffer(['init']);
  for (const name of ['production', 'staging']) {
    const keys = join(start.home, name);
    start.coffer(['recipients', 'create', name, '--type', 'cluster', '--key-dir', keys]);
    identities.set(name, await readIdentity(keys, name));
  }
  start.edit('.coffer/config.yaml', /^( +)repository:/m, '$1rotatingCluster: production\n$1repository:');
  start.write(
    FILE,
    `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: payments}
spec:
  recipients: [production]
  readers: [{name: api}]
  data:
    password: first
    user: app
  rotation: {password: {generate: {kind: hex}, keepPrevious: 24h}}
`,
  );
  start.coffer(['encrypt', FILE]);
  start.commit('first');
  const operator = new Desk(start);
  desks.push(operator);
  operator.coffer(['rotate', FILE, 'password', '--no-commit', '--key-dir', join(operator.home, 'production')]);
  proposal = proposed(manifestIn(start), manifestIn(operator));
});
beforeEach(() => {
  desk = new Desk(start);
  desks.push(desk);
});
after(() => {
  for (const one of desks) one.remove();
});

function manifestIn(on: Desk): Manifest {
  const [manifest] = readManifestFile(Buffer.from(on.read(FILE)), FILE).manifests;
  assert.ok(manifest);
  return manifest;
}

function textOf(manifest: Manifest, entry: string): { [name in 'text' | 'former']?: string } {
  const value = manifest.entries.get(entry);
  return value?.kind === 'sealed' ? { text: value.text, former: value.text } : {};
}

function proposed(was: Manifest, is: Manifest): Proposal {
  const values = [...is.entries.keys()].flatMap((entry): ProposedValue[] => {
    const { former } = textOf(was, entry);
    const { text } = textOf(is, entry);
    const place = { path: FILE, namespace: 'payments', name: 'db', entry };
    return text === former ? [] : [{ ...place, ...(former && { former }), ...(text && { text }) }];
  });
  const stanzas = new Map(
    [...is.stanzas].map(([id, rows]) => [id, new Map([...rows].map(([name, { text }]) => [name, text]))]),
  );
  return {
    id: 'values-production',
    cluster: 'production',
    commit: '0'.repeat(40),
    stanzas,
    values,
    fulfils: [],
    refused: new Map(),
  };
}

function publish(what: Proposal, signer = 'production', change = (part: object): object => part): void {
  const parts = proposalParts(what, identities.get(signer) ?? Buffer.alloc(0));
  desk.write(`../${PUBLISHED}`, parts.map((part) => `${JSON.stringify(change(JSON.parse(part)))}\n`).join(''));
}

const collect = (...more: string[]) => ['rotate', '--collect', '--from-file', `../${PUBLISHED}`, ...more];
const opened = (entry: string) => desk.coffer(['get', FILE, entry, '--key-dir', join(desk.home, 'production')]);

describe('coffer rotate --collect', () => {
  test('takes the values that an operator made into the working tree, with public keys alone, and commits them', () => {
    publish(proposal);
    assert.equal(desk.coffer(collect()), 'payments/db: password, password.previous\n');
    assert.match(opened('password'), /^[0-9a-f]{64}$/);
    assert.equal(opened('password.previous'), 'first');
    assert.equal(desk.git('log', '-1', '--format=%s').trim(), 'Take the values that production made');
    assert.equal(JSON.parse(desk.coffer(collect('--json'))).commit, null, 'a second time there is nothing to do');
  });

  test('of the file and entry that were asked for, or of all; --dry-run only tells', () => {
    publish(proposal);
    const { files } = JSON.parse(desk.coffer(['rotate', FILE, 'user', ...collect('--json').slice(1)]));
    assert.deepEqual(files, []);
    assert.equal(desk.coffer(collect('--dry-run')), 'would take payments/db: password, password.previous\n');
    assert.equal(desk.git('status', '--porcelain'), '');
    assert.deepEqual(JSON.parse(desk.coffer(['rotate', FILE, 'password', ...collect('--json').slice(1)])).files, [
      FILE,
    ]);
  });

  test('leaves a value that somebody changed meanwhile', () => {
    publish(proposal);
    desk.coffer(['set', FILE, 'password'], 'by hand');
    assert.deepEqual(JSON.parse(desk.coffer(collect('--json'))).files, []);
    assert.equal(opened('password'), 'by hand');
  });

  test('refuses what the operator did not sign, though all of it is sealed as it should be', () => {
    const thief = new Desk(start);
    desks.push(thief);
    thief.coffer(['set', FILE, 'password'], 'known to the thief');
    const forged = proposed(manifestIn(start), manifestIn(thief));
    const forgeries: [code: string, signer: string, change?: (part: object) => object][] = [
      ['PROPOSAL_IDENTITY', 'staging'],
      ['PROPOSAL_UNSIGNED', 'staging', (part) => ({ ...part, signature: undefined })],
      ['PROPOSAL_DAMAGED', 'production', (part) => ({ ...part, text: JSON.stringify(forged) })],
    ];
    for (const [code, signer, change] of forgeries) {
      publish(forged, signer, change);
      const { status, stdout } = desk.try(collect('--json'));
      assert.deepEqual([status === 0, JSON.parse(stdout).error?.code], [false, code]);
    }
    publish(proposal);
    const { stdout } = desk.try(collect('--json'), { env: { COFFER_PINS: join(desk.home, 'no-pins') } });
    assert.equal(JSON.parse(stdout).error?.code, 'RECIPIENT_UNPINNED');
    assert.equal(desk.git('status', '--porcelain'), '');
    assert.equal(opened('password'), 'first');
  });

  test('takes nothing of an older proposal that is shown again', () => {
    publish(proposal);
    desk.coffer(collect());
    desk.coffer(['rotate', FILE, 'password', '--drop-previous']);
    const newest = opened('password');
    assert.deepEqual(JSON.parse(desk.coffer(collect('--json'))).files, []);
    assert.equal(opened('password'), newest);
  });

  test('refuses a value for an entry that is not rotated, another cluster, and nothing said of where', () => {
    const foreign = proposal.values.map((value) => ({ ...value, entry: value.entry.replace('password', 'user') }));
    publish({ ...proposal, values: foreign });
    const { status, stderr } = desk.try(collect());
    assert.equal(status, 1);
    assert.match(stderr, /^error ROTATE_FOREIGN: .*user/);
    const [{ text: _, ...gone } = { entry: '' }] = proposal.values.filter(({ entry }) => entry === 'password');
    publish({ ...proposal, values: [gone as ProposedValue] });
    assert.match(desk.try(collect()).stderr, /^error ROTATE_FOREIGN: .*take password away/);
    assert.match(desk.try(collect('--cluster', 'staging')).stderr, /^error PROPOSAL_OTHER: /);
    assert.match(desk.try(['rotate', '--collect']).stderr, /^error PUBLISHED_FROM_WHERE: /);
    assert.match(desk.try(['rotate']).stderr, /^error ROTATE_NO_FILE: /);
    assert.equal(desk.git('status', '--porcelain'), '');
  });
});
