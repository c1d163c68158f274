import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { damaged } from '../../test/support/damaged.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { renderManifest } from '../format/edit/new-manifest.ts';
import type { Manifest } from '../format/manifest/manifest.ts';
import { readManifestFile } from '../format/manifest/read-manifest.ts';
import type { Binding } from '../format/sealed/binding.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import { createGroup, createRecipient } from '../keys/create.ts';
import { activeKey } from '../keys/recipient.ts';
import { openDataKey, openingKeys, openManifest, refusePlaintext } from './open-manifest.ts';
import { openerFor } from './opener.ts';

const TEMPLATE = `  template:
    data:
      URL: "db://\${password:uri}"
      GREETING: "hello \${username}"
`;

let made: ReturnType<typeof createRecipient>;
let key: SealingKey;
let text: string;

before(async () => {
  await sodiumReady();
  made = createRecipient({ name: 'production', type: 'cluster', created: '2026-11-21T09:00:00Z' });
  const active = activeKey(made.recipient);
  assert.ok(active);
  key = { recipient: 'production', kid: active.kid, publicKey: active.publicKey };
  const entries = new Map([
    ['password', Buffer.from('a b')],
    ['username', Buffer.from('ada')],
  ]);
  const wanted = { namespace: 'n', name: 'm', recipients: ['production'], readers: [{ name: '*' }], entries };
  text = renderManifest(wanted, [key]).replace('  keys:\n', `${TEMPLATE}  keys:\n`);
});

function manifest(change = (good: string) => good): Manifest {
  const [only] = readManifestFile(Buffer.from(change(text)), 'm.yaml').manifests;
  assert.ok(only);
  return only;
}

function opener(seed = made.seed) {
  const keys = new Map([[key.kid, { kid: key.kid, seed }]]);
  return openerFor(
    { recipients: new Map(), problems: [] },
    { keys, problems: [], wipe: () => undefined },
    { as: 'production' },
  );
}

const asText = (values: ReadonlyMap<string, Buffer>) =>
  Object.fromEntries([...values].map(([name, value]) => [name, value.toString()]));

const password = /(?<= {4}password: ).*/;

describe('opening a manifest', () => {
  test('gives all of data and of the templates', () => {
    assert.deepEqual(asText(openManifest(manifest(), opener()).values), {
      password: 'a b',
      username: 'ada',
      URL: 'db://a%20b',
      GREETING: 'hello ada',
    });
  });

  test('gives what was asked for and nothing else', () => {
    assert.deepEqual(asText(openManifest(manifest(), opener(), ['username']).values), { username: 'ada' });
    assert.deepEqual(asText(openManifest(manifest(), opener(), ['URL']).values), { URL: 'db://a%20b' });
    assert.deepEqual(asText(openManifest(manifest(), opener(), []).values), {});
  });

  test('of one entry is not stopped by another that is damaged', () => {
    const broken = manifest((good) => damaged(good, 'password:'));
    assert.deepEqual(asText(openManifest(broken, opener(), ['username']).values), { username: 'ada' });
    assert.throws(() => openManifest(broken, opener()), { code: 'VALUE_REFUSED' });
  });

  test('wipes the values when it is told to', () => {
    const opened = openManifest(manifest(), opener());
    opened.wipe();
    for (const value of opened.values.values()) assert.deepEqual(value, Buffer.alloc(value.length));
  });

  test('refuses an entry that is not there', () => {
    assert.throws(() => openManifest(manifest(), opener(), ['nobody']), { code: 'MANIFEST_ENTRY_UNKNOWN', exit: 2 });
  });

  test('refuses plaintext that was asked for, be it by a template; refusePlaintext refuses any', () => {
    const waiting = manifest((good) => good.replace(password, 'hunter2'));
    assert.throws(() => openManifest(waiting, opener(), ['URL']), { code: 'MANIFEST_PLAINTEXT' });
    assert.deepEqual(asText(openManifest(waiting, opener(), ['GREETING']).values), { GREETING: 'hello ada' });
    assert.throws(() => refusePlaintext(waiting), { code: 'MANIFEST_PLAINTEXT' });
    refusePlaintext(manifest());
  });

  test('says where: file, line, entry, namespace and name', () => {
    const broken = manifest((good) => damaged(good, 'password:'));
    const [entry] = broken.entries.values();
    assert.throws(() => openManifest(broken, opener()), {
      data: {
        file: 'm.yaml',
        line: entry?.line,
        namespace: 'n',
        name: 'm',
        entry: 'password',
        dataKeyId: entry?.kind === 'sealed' ? entry.dataKeyId : undefined,
      },
    });
  });

  test('tells beforehand which keys it will use, without using them', () => {
    const ids = [...manifest().stanzas.keys()];
    const useless = opener(Buffer.alloc(32));
    assert.deepEqual(openingKeys(manifest(), useless), [{ dataKeyId: ids[0], recipient: 'production', kid: key.kid }]);
    assert.throws(() => openManifest(manifest(), useless), { code: 'STANZA_REFUSED' });
  });

  test('tells who cannot open it yet', () => {
    const widened = manifest((good) => good.replace('[production]', '[production, staging]'));
    assert.deepEqual(openManifest(widened, opener()).pending, ['staging']);
    assert.deepEqual(openManifest(manifest(), opener()).pending, []);
  });

  test('a data key that was opened is the one that its id commits to', () => {
    const [id = ''] = manifest().stanzas.keys();
    assert.equal(openDataKey(manifest(), opener(), id).length, 32);
  });

  test('the scope that is written decides what may change', () => {
    const renamed = (scope: Binding['scope']) =>
      manifest((good) => good.replace('name: m\n', 'name: other\n').replace('spec:\n', `spec:\n  scope: ${scope}\n`));
    for (const scope of ['strict', 'namespace', 'cluster'] as const) {
      assert.throws(() => openManifest(renamed(scope), opener()), { code: 'STANZA_REFUSED' });
    }
  });
});

describe('naming the keys that would open a manifest', () => {
  test('opens nothing, a group’s seed neither', () => {
    const created = '2026-11-21T09:00:00Z';
    const { identitySeed } = made;
    const ours = createGroup({ name: 'team', created, members: [key], identitySeed });
    const [group] = ours.recipient.keys;
    const [other] = createGroup({ name: 'team', created, members: [key], identitySeed }).recipient.keys;
    assert.ok(group && other);
    // Its row is another key's, which is seen only by whoever opens it.
    const mixed = { ...ours.recipient, keys: [{ ...group, seeds: other.seeds }] };
    const us = openerFor(
      { recipients: new Map([['team', mixed]]), problems: [] },
      { keys: new Map([[key.kid, { kid: key.kid, seed: made.seed }]]), problems: [], wipe: () => undefined },
      { as: 'production' },
    );
    const wanted = { namespace: 'n', name: 'm', recipients: ['team'], readers: [{ name: '*' }] };
    const toGroup = { recipient: 'team', kid: group.kid, publicKey: group.publicKey };
    const sealed = renderManifest({ ...wanted, entries: new Map([['a', Buffer.from('b')]]) }, [toGroup]);
    const [forTeam] = readManifestFile(Buffer.from(sealed), 'm.yaml').manifests;
    assert.ok(forTeam);
    assert.deepEqual(
      openingKeys(forTeam, us).map(({ recipient, kid }) => [recipient, kid]),
      [['team', group.kid]],
    );
    assert.throws(() => openManifest(forTeam, us), { code: 'GROUP_SEED_REFUSED' });
  });
});
