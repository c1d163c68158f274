import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { openedBy, testOpener } from '../../test/support/opening.ts';
import { readText, testKeys } from '../../test/support/sealing.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { CofferError } from '../errors.ts';
import { placeValues } from '../format/edit/place-values.ts';
import { sealPlaintext } from '../format/edit/seal.ts';
import type { Entry, Manifest } from '../format/manifest/manifest.ts';
import { type RotatedValues, type RotateOptions, retirePrevious, rotateEntries } from './rotate-entry.ts';

before(sodiumReady);

const NOW = new Date('2026-11-21T09:00:00Z');
const RULE = '{generate: {kind: hex}, keepPrevious: 1h}';

const STYLES: Record<string, (rotation: Record<string, string>) => string> = {
  'YAML, blocks': (rotation) => `# Why
apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: shop}
spec:
  recipients: [one, two]
  readers: [{name: w}]
  data:
    a: first a # of old
    b: 'first b'
  template:
    data:
      URL: "db://\${a}"
  rotation:
${Object.entries(rotation)
  .map(([entry, rule]) => `    ${entry}: ${rule}\n`)
  .join('')}`,
  JSON: (rotation) => {
    const rows = Object.entries(rotation).map(([entry, rule]) => `"${entry}": ${json(rule)}`);
    return `{"apiVersion": "coffer.dev/v1", "kind": "EncryptedSecret", "metadata": {"name": "db", "namespace": "shop"},
 "spec": {"recipients": ["one", "two"], "readers": [{"name": "w"}],
  "data": {"a": "first a", "b": "first b"}, "template": {"data": {"URL": "db://\${a}"}},
  "rotation": {${rows.join(', ')}}}}`;
  },
};

/** A flow mapping of plain words, as JSON. */
function json(flow: string): string {
  return flow.replace(/[A-Za-z0-9.]+/g, (word) => (/^[0-9]+$/.test(word) ? word : `"${word}"`));
}

/** A manifest in which a and b are sealed by one run. */
function sealed(rotation: Record<string, string> = { a: RULE }, style = 'YAML, blocks'): string {
  return sealPlaintext(readText(STYLES[style]?.(rotation) ?? ''), testKeys).text;
}

async function rotate(text: string, entries: string[], more: Partial<RotateOptions> = {}): Promise<string> {
  const file = readText(text);
  const keys = testKeys({ recipients: ['one', 'two'] });
  const opener = testOpener('one');
  const { values, stanzas } = await rotateEntries(file, 0, entries, { keys, now: NOW, opener, ...more });
  return place(text, values, stanzas);
}

type Stanzas = RotatedValues['stanzas'];

function place(text: string, values: readonly { entry: string; text?: string }[], stanzas: Stanzas = new Map()) {
  return placeValues(readText(text), 0, new Map(values.map(({ entry, text: sealed }) => [entry, sealed])), stanzas);
}

const manifestOf = (text: string) => readText(text).manifests[0] as Manifest;
const entriesOf = (text: string) => [...manifestOf(text).entries.keys()];
const keyOf = (value: Entry) => (value.kind === 'sealed' ? value.dataKeyId : undefined);
const fails = (code: string) => (error: unknown) => error instanceof CofferError && error.code === code;

for (const style of Object.keys(STYLES)) {
  describe(`rotating an entry in ${style}`, () => {
    test('seals a new value and the former one as ENTRY.previous, by one data key; templates follow', async () => {
      const text = sealed(undefined, style);
      const rotated = await rotate(text, ['a']);
      for (const recipient of ['one', 'two']) {
        const { a = '', URL, ...others } = openedBy(recipient, readText(rotated));
        assert.match(a, /^[0-9a-f]{64}$/);
        assert.equal(URL, `db://${a}`);
        assert.deepEqual({ ...others }, { b: 'first b', 'a.previous': 'first a' });
      }
      const dataKeys = new Map([...manifestOf(rotated).entries].map(([name, value]) => [name, keyOf(value)]));
      assert.equal(dataKeys.get('a'), dataKeys.get('a.previous'));
      assert.notEqual(dataKeys.get('a'), dataKeys.get('b'));
    });

    test('once more within the overlap, the former value takes the place of the one before', async () => {
      const first = await rotate(sealed(undefined, style), ['a']);
      const { a } = openedBy('one', readText(first));
      const second = await rotate(first, ['a']);
      assert.equal(openedBy('two', readText(second))['a.previous'], a);
      assert.deepEqual(entriesOf(second).toSorted(), ['a', 'a.previous', 'b']);
    });

    test('after the overlap the former value goes, and what comes and goes leaves no byte behind', async () => {
      const text = sealed(undefined, style);
      const rotated = await rotate(text, ['a']);
      const file = readText(rotated);
      const gone = place(rotated, retirePrevious(manifestOf(rotated), ['a']));
      const alone = place(text, [{ entry: 'a', text: textOf(file.manifests[0] as Manifest, 'a') }], stanzasOf(rotated));
      assert.equal(gone, alone);
    });
  });
}

function textOf(manifest: Manifest, entry: string): string {
  const found = manifest.entries.get(entry);
  return found?.kind === 'sealed' ? found.text : '';
}

function stanzasOf(text: string): Map<string, Map<string, string>> {
  return new Map(
    [...manifestOf(text).stanzas].map(([id, rows]) => [id, new Map([...rows].map(([name, row]) => [name, row.text]))]),
  );
}

function mergedByGit(base: string, ...branches: [string, string]): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-rotate-'));
  try {
    const files = [branches[0], base, branches[1]].map((text, index) => {
      const file = join(folder, String(index));
      writeFileSync(file, text);
      return file;
    });
    return execFileSync('git', ['merge-file', '--stdout', ...files], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('rotating an entry', () => {
  test('without keepPrevious takes no secret key', async () => {
    const rotated = await rotate(sealed({ a: '{generate: {kind: uuid}}' }), ['a'], { opener: undefined });
    assert.deepEqual(entriesOf(rotated), ['a', 'b']);
  });

  test('with keepPrevious says that it takes one, whoever lacks it; giving the former value up takes none', async () => {
    const text = await rotate(sealed(), ['a']);
    for (const opener of [undefined, testOpener(), testOpener('three')]) {
      await assert.rejects(rotate(text, ['a'], { opener }), fails('ROTATE_PREVIOUS_NEEDS_KEY'));
    }
    const rotated = await rotate(text, ['a'], { opener: undefined, keepPrevious: false });
    assert.deepEqual(entriesOf(rotated), ['a', 'b'], 'the one before goes too');
  });

  test('makes what the manifest lacks, and keeps nothing where nothing was', async () => {
    const rotated = await rotate(sealed({ c: RULE }), ['c'], { opener: undefined });
    assert.deepEqual(entriesOf(rotated), ['a', 'b', 'c']);
  });

  test('several in one run share a data key', async () => {
    const rotated = await rotate(sealed({ a: RULE, b: '{generate: {kind: password, length: 12}}' }), ['a', 'b']);
    assert.equal(new Set([...manifestOf(rotated).entries.values()].map(keyOf)).size, 1);
    assert.match(openedBy('one', readText(rotated)).b ?? '', /^[A-Za-z0-9]{12}$/);
  });

  test('the public part of a key changes with it, and both keep what they were', async () => {
    const rotation = { key: '{generate: {kind: ed25519, public: key.pub}, keepPrevious: 1h}' };
    const first = await rotate(sealed(rotation), ['key']);
    const before = openedBy('one', readText(first));
    const after = openedBy('one', readText(await rotate(first, ['key'])));
    assert.deepEqual(Object.keys(after), ['a', 'b', 'key', 'key.previous', 'key.pub', 'key.pub.previous', 'URL']);
    assert.equal(after['key.previous'], before.key);
    assert.equal(after['key.pub.previous'], before['key.pub']);
    const gone = retirePrevious(manifestOf(await rotate(first, ['key'])), ['key']).map(({ entry }) => entry);
    assert.deepEqual(gone, ['key.previous', 'key.pub.previous']);
  });

  test('takes what a rotator made, several entries at once, each with its former value', async () => {
    const text = sealed({ b: '{rotator: pg, keepPrevious: 1h}' });
    const made = ['a', 'b'].map((name): [string, Buffer] => [name, Buffer.from(`second ${name}`)]);
    const rotated = openedBy('two', readText(await rotate(text, ['b'], { values: new Map(made) })));
    assert.deepEqual(
      ['a', 'b', 'a.previous', 'b.previous'].map((name) => rotated[name]),
      ['second a', 'second b', 'first a', 'first b'],
    );
    assert.equal(made[0]?.[1].toString(), 'second a', 'the value stays its owner’s to wipe');
  });

  test('and the one after its neighbour on another branch merge with plain git', async () => {
    const text = await rotate(sealed({ a: RULE, b: '{generate: {kind: hex}}', c: RULE }), ['c']);
    const merged = mergedByGit(text, await rotate(text, ['a']), await rotate(text, ['c']));
    assert.deepEqual(entriesOf(merged), ['a', 'a.previous', 'b', 'c', 'c.previous']);
    assert.equal(openedBy('two', readText(merged))['a.previous'], 'first a');
  });

  test('a former value stays while a template names it', async () => {
    const rotated = (await rotate(sealed(), ['a'])).replace('db://${a}', 'db://${a}, ${a.previous}');
    assert.deepEqual(retirePrevious(manifestOf(rotated), ['a']), []);
  });

  test('the value that it replaces is named, so that a faster change stays', async () => {
    const file = readText(sealed());
    const keys = testKeys({ recipients: ['one', 'two'] });
    const { values } = await rotateEntries(file, 0, ['a'], { keys, now: NOW, opener: testOpener('one') });
    assert.deepEqual(
      values.map(({ path, namespace, name, entry, former }) => [path, namespace, name, entry, former]),
      [
        ['secret.yaml', 'shop', 'db', 'a', textOf(file.manifests[0] as Manifest, 'a')],
        ['secret.yaml', 'shop', 'db', 'a.previous', undefined],
      ],
    );
  });

  const refused: [why: string, rule: Record<string, string>, code: string][] = [
    ['an entry of which the manifest says nothing', { b: RULE }, 'ROTATE_UNKNOWN'],
    ['an entry that is changed by hand', { a: '{every: 30d}' }, 'ROTATE_BY_HAND'],
    ['an entry of a rotator', { a: '{rotator: pg}' }, 'ROTATE_BY_ROTATOR'],
  ];
  for (const [why, rule, code] of refused) {
    test(`is refused for ${why}`, async () => {
      await assert.rejects(rotate(sealed(rule), ['a']), fails(code));
    });
  }

  test('is refused where a value is plaintext, which would go into a proposal', async () => {
    await assert.rejects(rotate(STYLES['YAML, blocks']?.({ a: RULE }) ?? '', ['a']), fails('MANIFEST_PLAINTEXT'));
  });
});
