import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, type TestContext, test } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { systemRandom } from '../../core/crypto/random.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { createKey } from '../../core/keys/create.ts';
import { storeIdentity, storeSecretKey } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { withNewKey } from '../../core/keys/new-key.ts';
import { type Recipient, readRecipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { WorkTree } from '../../test/servers/work-tree.ts';
import { recipientFiles, testCluster } from '../../test/support/secrets.ts';
import { DirectoryKeyStore } from '../keys/directory-store.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { openGitSource } from '../source/open-git-source.ts';
import { Enrolment } from './enrol.ts';

before(() => sodiumReady());

/** A host on which an operator starts for the first time, again and again. */
class Host {
  readonly root: string;
  readonly store: DirectoryKeyStore;
  readonly said: string[] = [];
  readonly records: AnyRecord[] = [];
  tree: WorkTree | undefined;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    this.root = onDisk(t);
    this.store = new DirectoryKeyStore(join(this.root, 'keys'), 'production');
  }

  enrolment(sources: ConstructorParameters<typeof Enrolment>[0]['sources'] = [], store: KeyStore = this.store) {
    const log = { info: (line: string) => this.said.push(line) };
    return new Enrolment({
      cluster: 'production',
      stateDirectory: this.root,
      pinsFile: join(this.root, 'pins'),
      store,
      sources,
      audit: { append: async (records) => void this.records.push(...records) },
      log,
    });
  }

  /** A git source of a repository that commits these files; not yet looked at. */
  async source(files: Record<string, string>) {
    const tree = await WorkTree.init(join(this.root, 'repository'));
    this.tree = tree;
    await tree.commit(files);
    const source = await openGitSource({ url: tree.directory }, this.root);
    this.#t.after(() => source.close());
    return source;
  }

  announced(): Recipient {
    return readRecipient(readFileSync(join(this.root, 'recipient.yaml')), 'production.yaml');
  }

  async keyIds(): Promise<string[]> {
    const { keys, wipe } = await this.store.read();
    wipe();
    return [...keys.keys()];
  }
}

/** Ends whoever uses it as soon as this step is done. */
class KilledStore extends DirectoryKeyStore {
  readonly #step: 'store' | 'storeIdentity';

  constructor({ place }: DirectoryKeyStore, step: 'store' | 'storeIdentity') {
    super(place, 'production');
    this.#step = step;
  }

  override async store(seed: Uint8Array): Promise<void> {
    await super.store(seed);
    this.#after('store');
  }

  override async storeIdentity(identitySeed: Uint8Array): Promise<void> {
    await super.storeIdentity(identitySeed);
    this.#after('storeIdentity');
  }

  #after(step: 'store' | 'storeIdentity'): void {
    if (step === this.#step) throw new CofferError('KILLED', 'killed', { advice: '' });
  }
}

describe('the first start of a cluster', () => {
  test('makes an identity and a key, and announces them as a recipient that holds together', async (t) => {
    const host = new Host(t);
    const enrolment = host.enrolment();
    await enrolment.look();
    assert.equal(enrolment.troubles()[0], undefined);
    const { type, keys } = host.announced();
    assert.deepEqual([type, keys.map(({ kid }) => kid)], ['cluster', await host.keyIds()]);
    assert.match(host.said.join(), /coffer recipients enroll production --identity coffer-identity-1-/);
    const told = host.records.map(({ event, change, keyIds = [] }) => [event, change, ...keyIds].join(' '));
    const [kid] = keys.map((key) => key.kid);
    assert.deepEqual(told, ['key.changed made', `key.changed made ${kid}`, `key.changed announced ${kid}`]);
  });

  test('happens once: later starts keep identity, key and announcement', async (t) => {
    const host = new Host(t);
    await host.enrolment().look();
    const before = host.announced();
    await host.enrolment().look();
    assert.deepEqual(host.announced(), before);
    rmSync(join(host.root, 'recipient.yaml'));
    await host.enrolment().look();
    assert.deepEqual(host.announced().identity, before.identity);
    assert.deepEqual((await host.keyIds()).length, 1);
  });

  test('that was killed after any of its steps goes on with the same identity and key', async (t) => {
    for (const step of ['storeIdentity', 'store'] as const) {
      const host = new Host(t);
      const first = host.enrolment([], new KilledStore(host.store, step));
      await first.look();
      assert.equal(first.troubles()[0]?.code, 'KILLED');
      const [identity, kids] = [await host.store.readIdentity(), await host.keyIds()];
      await host.enrolment().look();
      const { keys } = host.announced();
      assert.deepEqual(await host.store.readIdentity(), identity);
      assert.equal(keys.length, 1);
      if (step === 'store') assert.deepEqual(await host.keyIds(), kids);
      assert.deepEqual(await host.keyIds(), [keys[0]?.kid]);
    }
  });

  test('of two at once both end with the same identity, and announce a key that both have', async (t) => {
    const host = new Host(t);
    const both = [host.enrolment(), host.enrolment()];
    await Promise.all(both.map((one) => one.look()));
    assert.deepEqual(
      both.flatMap((one) => one.troubles()),
      [],
    );
    const announced = host.announced();
    assert.ok((await host.keyIds()).includes(announced.keys[0]?.kid ?? ''));
  });

  test('makes no other where the key is gone that was announced: somebody may have sealed to it', async (t) => {
    const host = new Host(t);
    const enrolment = host.enrolment();
    await enrolment.look();
    const announced = host.announced();
    renameSync(join(host.root, 'keys'), join(host.root, 'away'));
    await enrolment.look();
    assert.equal(enrolment.troubles()[0]?.code, 'KEYS_MISSING');
    assert.deepEqual([await host.keyIds(), host.announced()], [[], announced]);
    renameSync(join(host.root, 'away'), join(host.root, 'keys'));
    await enrolment.look();
    assert.equal(enrolment.troubles()[0], undefined);
    assert.deepEqual(host.announced(), announced);
  });

  test('waits while a source is unknown: its keyring may list this cluster', async (t) => {
    const host = new Host(t);
    const source = await host.source(recipientFiles(testCluster('staging')));
    const enrolment = host.enrolment([source]);
    await enrolment.look();
    assert.deepEqual(await host.keyIds(), []);
    await source.poll(t.signal);
    await enrolment.look();
    assert.equal((await host.keyIds()).length, 1);
  });
});

describe('a cluster that the keyring lists', () => {
  test('never gets another key for one that is missing: that is an alarm, until it is back', async (t) => {
    const host = new Host(t);
    const production = testCluster('production');
    const source = await host.source(recipientFiles(production));
    await source.poll(t.signal);
    const enrolment = host.enrolment([source]);
    await enrolment.look();
    assert.equal(enrolment.troubles()[0]?.code, 'KEYS_MISSING');
    assert.equal(enrolment.troubles()[0]?.data.keyId, production.recipient.keys[0]?.kid);
    assert.deepEqual(await host.keyIds(), []);
    await storeSecretKey(join(host.root, 'keys'), production.seed);
    await enrolment.look();
    assert.equal(enrolment.troubles()[0], undefined);
  });

  test('in a file that is broken is no reason to make a key either', async (t) => {
    const host = new Host(t);
    const source = await host.source({
      '.coffer/recipients/production.yaml': 'apiVersion: coffer.dev/v1\nkind: Recipient\n',
    });
    await source.poll(t.signal);
    const enrolment = host.enrolment([source]);
    await enrolment.look();
    assert.equal(enrolment.troubles()[0]?.code, 'DOCUMENT_FIELD');
    assert.deepEqual(await host.keyIds(), []);
  });

  test('with the identity of another is told', async (t) => {
    const host = new Host(t);
    const production = testCluster('production');
    const source = await host.source(recipientFiles(production));
    await source.poll(t.signal);
    await storeSecretKey(join(host.root, 'keys'), production.seed);
    await storeIdentity(join(host.root, 'keys'), 'production', testCluster('production').identitySeed);
    const enrolment = host.enrolment([source]);
    await enrolment.look();
    assert.equal(enrolment.troubles()[0]?.code, 'KEYS_OTHER_IDENTITY');
  });

  test('with a key that is not its own, or another identity than its pins have, is an alarm', async (t) => {
    const host = new Host(t);
    const [own, foreign] = [testCluster('production'), testCluster('production')];
    const source = await host.source(recipientFiles(foreign));
    await source.poll(t.signal);
    await storeSecretKey(join(host.root, 'keys'), own.seed);
    const enrolment = host.enrolment([source]);
    await enrolment.look();
    assert.equal(enrolment.troubles()[0]?.code, 'KEYS_ACTIVE_FOREIGN');
    assert.equal(enrolment.troubles()[0]?.data.keyId, foreign.recipient.keys[0]?.kid);
    await storeSecretKey(join(host.root, 'keys'), foreign.seed);
    const code = async () => {
      await enrolment.look();
      return enrolment.troubles()[0]?.code;
    };
    assert.equal(await code(), undefined);
    writeFileSync(join(host.root, 'pins'), `production ${identityText(own.recipient.identity)}\n`);
    assert.equal(await code(), 'KEYS_ACTIVE_FOREIGN');
  });
});

describe('a cluster whose key turns over', () => {
  /** In the keyring with a former key and its successor. */
  async function rotated(t: TestContext, status: 'active' | 'revoked') {
    const host = new Host(t);
    const production = testCluster('production');
    const { recipient, identitySeed } = production;
    const created = '2026-11-22T09:00:00Z';
    const { key, seed } = createKey({ name: 'production', created, identitySeed, random: systemRandom });
    const [former] = recipient.keys;
    const keys = former === undefined ? [] : [{ ...former, status }];
    const source = await host.source(recipientFiles({ ...production, recipient: { ...recipient, keys } }));
    await source.poll(t.signal);
    await storeSecretKey(join(host.root, 'keys'), production.seed);
    await storeIdentity(join(host.root, 'keys'), 'production', identitySeed);
    const list = async () => {
      const file = renderRecipient(withNewKey({ ...recipient, keys }, key, { formerStatus: 'retired' }));
      await host.tree?.commit({ [recipient.file]: file });
      await source.poll(t.signal);
    };
    return { host, former, key, seed, list, enrolment: host.enrolment([source]) };
  }

  test('raises no alarm for a key that no keyring lists yet, nor for a revoked one without a successor', async (t) => {
    for (const status of ['active', 'revoked'] as const) {
      const { host, seed, enrolment, former } = await rotated(t, status);
      await enrolment.look();
      assert.equal(enrolment.troubles()[0], undefined);
      await storeSecretKey(join(host.root, 'keys'), seed);
      await enrolment.look();
      assert.equal(enrolment.troubles()[0], undefined);
      assert.deepEqual(
        host.announced().keys.map(({ kid }) => kid),
        [former?.kid],
      );
    }
  });

  test('announces none of several before it knows the keyring: the first may be the lost one', async (t) => {
    const { host, seed, list } = await rotated(t, 'revoked');
    await storeSecretKey(join(host.root, 'keys'), seed);
    await list();
    const source = await openGitSource({ url: host.tree?.directory ?? '' }, join(host.root, 'anew'));
    t.after(() => source.close());
    const enrolment = host.enrolment([source]);
    await enrolment.look();
    assert.deepEqual(enrolment.troubles(), []);
    assert.throws(() => host.announced(), { code: 'ENOENT' });
    await source.poll(t.signal);
    await enrolment.look();
    assert.equal(host.announced().keys.length, 2);
  });

  test('misses the newest key when that is gone, though the former is there: nobody has to look for a thief', async (t) => {
    const { host, key, seed, list, enrolment } = await rotated(t, 'active');
    await storeSecretKey(join(host.root, 'keys'), seed);
    await list();
    await enrolment.look();
    assert.equal(enrolment.troubles()[0], undefined);
    rmSync(join(host.root, 'keys', `${key.kid}.key`));
    await enrolment.look();
    assert.equal(codeOf(enrolment), 'KEYS_MISSING');
  });
});

test('a damaged key is an error of its own, and no reason for a new one', async (t) => {
  const host = new Host(t);
  await storeSecretKey(join(host.root, 'keys'), testCluster('production').seed);
  const [kid = ''] = await host.keyIds();
  writeFileSync(join(host.root, 'keys', `${kid}.key`), 'COFFER-SECRET-1-damaged');
  const enrolment = host.enrolment();
  await enrolment.look();
  assert.equal(enrolment.troubles()[0]?.code, 'KEY_TEXT_MISTYPED');
});

function codeOf(enrolment: Enrolment): string | undefined {
  return enrolment.troubles()[0]?.code;
}
