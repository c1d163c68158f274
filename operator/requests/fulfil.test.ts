import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, describe, type TestContext, test } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { storeSecretKey } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import { openerFor } from '../../core/opening/opener.ts';
import { readFulfilment, stanzasFor } from '../../core/requests/fulfilment.ts';
import { joinRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import { join as joined } from '../../core/rotation/join.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { WorkTree } from '../../test/servers/work-tree.ts';
import {
  recipientFiles,
  sealedManifest,
  sealingKey,
  type TestRecipient,
  testCluster,
} from '../../test/support/secrets.ts';
import { DirectoryKeyStore } from '../keys/directory-store.ts';
import { openGitSource } from '../source/open-git-source.ts';
import type { Source } from '../source/source.ts';
import { Requests } from './fulfil.ts';

let production: TestRecipient;
let staging: TestRecipient;

before(() => sodiumReady());

beforeEach(() => {
  [production, staging] = [testCluster('production'), testCluster('staging')];
});

/** A repository that asks production's operator to let staging open two manifests, and that operator. */
class Stage {
  readonly root: string;
  readonly tree: WorkTree;
  readonly records: AnyRecord[] = [];
  readonly #t: TestContext;
  #source: Source;
  #requests: Requests;

  private constructor(root: string, tree: WorkTree, source: Source, t: TestContext) {
    this.root = root;
    this.tree = tree;
    this.#t = t;
    this.#source = source;
    this.#requests = this.#operator();
    t.after(() => this.#source.close());
  }

  get requests(): Requests {
    return this.#requests;
  }

  #operator(): Requests {
    return new Requests({
      cluster: 'production',
      stateDirectory: this.root,
      pinsFile: join(this.root, 'pins'),
      store: new DirectoryKeyStore(join(this.root, 'keys'), 'production'),
      sources: [this.#source],
      audit: { append: async (records) => void this.records.push(...records) },
      log: { info: () => undefined },
    });
  }

  /** An operator whose clone has no more history than its newest commit. */
  async cloneAnew(): Promise<void> {
    await this.#source.close();
    rmSync(join(this.root, 'sources'), { recursive: true });
    this.#source = await openGitSource({ url: this.tree.directory }, this.root);
    this.#requests = this.#operator();
    await this.#source.poll(this.#t.signal);
  }

  static async open(t: TestContext): Promise<Stage> {
    const root = onDisk(t);
    await storeSecretKey(join(root, 'keys'), production.seed);
    const tree = await WorkTree.init(join(root, 'repository'));
    return new Stage(root, tree, await openGitSource({ url: tree.directory }, root), t);
  }

  async commit(files: Record<string, string | null>): Promise<string> {
    const commit = await this.tree.commit(files);
    await this.#source.poll(this.#t.signal);
    return commit;
  }

  confirm(recipient: TestRecipient): void {
    writeFileSync(join(this.root, 'pins'), `staging ${identityText(recipient.recipient.identity)}\n`);
  }

  /** What it did, without what it says that it did not do. */
  get done(): AnyRecord[] {
    return this.records.filter(({ event }) => event !== 'request.refused');
  }

  get codes(): string[] {
    return this.requests.troubles().map(({ code }) => code);
  }

  published(request = asked()): ReturnType<typeof readFulfilment> | undefined {
    const file = join(this.root, 'requests', `${request.id}.jsonl`);
    return existsSync(file) ? readFulfilment(readFileSync(file, 'utf8').trimEnd().split('\n'), request) : undefined;
  }
}

function asked(identity = staging.recipient.identity) {
  return joinRequest({ recipient: 'staging', identity, like: 'production', created: '2026-11-21T09:00:00Z' });
}

function requestFiles(request = asked()): Record<string, string> {
  return { [requestFile(request.id)]: renderRequest(request) };
}

/** As `coffer recipients add` leaves it: listed, and not sealed to it yet. */
function pending(name: string, value = 'value', to = production): string {
  const text = sealedManifest({ namespace: 'payments', name, to: [to], data: { password: value } });
  const file = readManifestFile(Buffer.from(text), `${name}.yaml`);
  return joined(file, 0, { like: to.recipient.name, key: sealingKey(staging) });
}

describe('a committed request', () => {
  test('of a recipient that a person confirmed here is fulfilled: with the stanzas it opens every manifest', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    const commit = await stage.commit({
      ...recipientFiles(production, staging),
      ...requestFiles(),
      'a.yaml': pending('a', 'one'),
      'b.yaml': pending('b', 'two'),
    });
    await stage.requests.look();
    assert.deepEqual(stage.codes, []);
    const made = stage.published();
    assert.ok(made);
    assert.deepEqual([made.commit, made.stanzas.size], [commit, 2]);
    for (const [name, value] of [
      ['a', 'one'],
      ['b', 'two'],
    ]) {
      const file = readManifestFile(readFileSync(join(stage.tree.directory, `${name}.yaml`)), 'x.yaml');
      const ids = [...(file.manifests[0]?.stanzas.keys() ?? [])];
      const key = sealingKey(staging);
      const text = joined(file, 0, { like: 'production', key, made: stanzasFor(made, ids) });
      const [manifest] = readManifestFile(Buffer.from(text), 'x.yaml').manifests;
      const keys = new Map([[key.kid, { kid: key.kid, seed: staging.seed }]]);
      const opener = openerFor(
        { recipients: new Map(), problems: [] },
        { keys, problems: [], wipe: () => undefined },
        { as: 'staging' },
      );
      assert.ok(manifest);
      assert.equal(openManifest(manifest, opener).values.get('password')?.toString(), value);
    }
  });

  test('is on record before anything is opened, for each manifest, and how it ended', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    await stage.commit({ ...recipientFiles(production, staging), ...requestFiles(), 'a.yaml': pending('a') });
    await stage.requests.look();
    assert.deepEqual(
      stage.records.map(({ event, action, name, recipient, outcome }) => [event, action, name, recipient, outcome]),
      [
        ['secret.intent', 'rewrap', 'a', 'staging', undefined],
        ['secret.outcome', 'rewrap', 'a', 'staging', 'written'],
      ],
    );
  });

  test('of a recipient that nobody confirmed here makes nothing, says the line for the pins, and goes on when it is there', async (t) => {
    const stage = await Stage.open(t);
    await stage.commit({ ...recipientFiles(production, staging), ...requestFiles(), 'a.yaml': pending('a') });
    await stage.requests.look();
    assert.deepEqual([stage.codes, stage.published(), stage.done], [['REQUEST_NOT_CONFIRMED'], undefined, []]);
    const line = `staging ${identityText(staging.recipient.identity)}`;
    assert.ok(stage.requests.troubles()[0]?.advice.endsWith(line));
    await stage.requests.look();
    assert.deepEqual(stage.codes, ['REQUEST_NOT_CONFIRMED']);
    const refusals = stage.records.map(({ event, request, code }) => [event, request, code]);
    assert.deepEqual(refusals, [['request.refused', asked().id, 'REQUEST_NOT_CONFIRMED']]);
    writeFileSync(join(stage.root, 'pins'), `${line}\n`);
    await stage.requests.look();
    assert.equal(stage.published()?.stanzas.size, 1);
  });

  test('whose identity is another than the keyring’s or the pins’ makes nothing', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    const impostor = testCluster('staging');
    await stage.commit({ ...recipientFiles(production, impostor), ...requestFiles(), 'a.yaml': pending('a') });
    await stage.requests.look();
    assert.deepEqual([stage.codes, stage.done], [['REQUEST_IDENTITY'], []]);
    await stage.commit({
      ...requestFiles(asked(impostor.recipient.identity)),
      [requestFile(asked().id)]: null,
    });
    await stage.requests.look();
    assert.deepEqual([stage.codes, stage.done], [['RECIPIENT_IDENTITY_CHANGED'], []]);
    const [trouble] = stage.requests.troubles();
    assert.match(
      trouble?.advice ?? '',
      /`coffer recipients list staging --pins` into the pins of the operator.*pins\)/,
    );
  });

  test('makes nothing for a key that the recipient had revoked, or that an older one took the place of', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    const [path = '', stolen = ''] = Object.entries(recipientFiles(staging))[0] ?? [];
    await stage.commit({ ...recipientFiles(production), [path]: stolen.replace('status: active', 'status: revoked') });
    await stage.commit({ [path]: stolen, ...requestFiles(), 'a.yaml': pending('a') });
    await stage.requests.look();
    assert.deepEqual([stage.codes, stage.published(), stage.done], [['REQUEST_KEY_ROLLED_BACK'], undefined, []]);
  });

  test('makes nothing for a key that was given up before the clone’s history begins', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    const [path = '', stolen = ''] = Object.entries(recipientFiles(staging))[0] ?? [];
    const revoked = { [path]: stolen.replace('status: active', 'status: revoked') };
    await stage.commit({ ...recipientFiles(production), ...revoked });
    await stage.requests.look();
    await stage.tree.commit({ [path]: stolen, ...requestFiles(), 'a.yaml': pending('a') });
    for (const _ of ['at once', 'and as often as it starts anew']) {
      await stage.cloneAnew();
      await stage.requests.look();
      assert.deepEqual([stage.codes, stage.published(), stage.done], [['REQUEST_KEY_ROLLED_BACK'], undefined, []]);
    }
    await stage.tree.commit(revoked);
    await stage.cloneAnew();
    await stage.requests.look();
    assert.deepEqual(stage.codes, ['RECIPIENT_NO_ACTIVE_KEY']);
  });

  test('reaches only what lists both, and tells of what does not open', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    const elsewhere = testCluster('production');
    await stage.commit({
      ...recipientFiles(production, staging),
      ...requestFiles(),
      'mine.yaml': sealedManifest({ namespace: 'payments', name: 'mine', to: [production], data: { a: 'b' } }),
      'lost.yaml': pending('lost', 'value', elsewhere),
      'a.yaml': pending('a'),
    });
    await stage.requests.look();
    const made = stage.published();
    assert.deepEqual([made?.stanzas.size, [...(made?.refused.keys() ?? [])]], [1, ['lost.yaml']]);
  });

  test('that is collected and gone takes what was published with it', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    await stage.commit({ ...recipientFiles(production, staging), ...requestFiles(), 'a.yaml': pending('a') });
    await stage.requests.look();
    await stage.commit({ [requestFile(asked().id)]: null });
    await stage.requests.look();
    assert.equal(stage.published(), undefined);
  });

  test('is fulfilled once: a later commit adds only what is new', async (t) => {
    const stage = await Stage.open(t);
    stage.confirm(staging);
    await stage.commit({ ...recipientFiles(production, staging), ...requestFiles(), 'a.yaml': pending('a') });
    await stage.requests.look();
    const first = [...(stage.published()?.stanzas ?? [])];
    await stage.commit({ 'b.yaml': pending('b') });
    await stage.requests.look();
    const both = stage.published()?.stanzas;
    assert.equal(both?.size, 2);
    for (const [id, text] of first) assert.equal(both?.get(id), text);
    assert.equal(stage.records.filter(({ event }) => event === 'secret.intent').length, 2);
  });
});
