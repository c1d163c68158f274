import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { sealedManifest, testCluster } from '../support/secrets.ts';

interface Sent {
  metadata: { name: string; namespace: string };
  spec: Record<string, unknown> & { data: Record<string, unknown> };
}

/** Somebody who forgets to seal, in every way: `text` is the canary, `number` another one. */
const MISTAKES: Record<string, (spec: Sent['spec'], text: string, number: number) => object> = {
  'plaintext as a value': (spec, text) => data(spec, text),
  'a number as a value': (spec, _, number) => data(spec, number),
  'a fraction as a value': (spec, _, number) => data(spec, number + 0.5),
  'an object as a value': (spec, text) => data(spec, { deep: text }),
  'a list as a value': (spec, text) => data(spec, [text]),
  'plaintext that begins as if it were sealed': (spec, text) => data(spec, `CF[1:${text}]`),
  'plaintext of hundreds of kilobytes': (spec, text) => data(spec, text.repeat(40_000)),
  'more than the server takes': (spec, text) => data(spec, text.repeat(180_000)),
  'a number in a template': (spec, _, number) => ({ ...spec, template: { data: { URL: number } } }),
  'an object in a template': (spec, text) => ({ ...spec, template: { data: { URL: { deep: text } } } }),
  'a list as an annotation': (spec, text) => ({ ...spec, template: { metadata: { annotations: { a: [text] } } } }),
  'a number as a stanza': (spec, _, number) => ({ ...spec, keys: { ['A'.repeat(32)]: { production: number } } }),
  'a scope that is none': (spec, text) => ({ ...spec, scope: text }),
  'a deletionPolicy that is none': (spec, text) => ({ ...spec, deletionPolicy: text }),
  'a type that is too long': (spec, text) => ({ ...spec, type: text.repeat(30) }),
};

/** What the server is not to keep, though it may take the rest. */
const UNKNOWN: Record<string, (spec: Sent['spec'], text: string) => object> = {
  'stringData, as a Secret has it': (spec, text) => ({ ...spec, stringData: { PASSWORD: text } }),
  'a field beside the values': (spec, text) => ({ ...spec, password: text }),
};

function data(spec: Sent['spec'], value: unknown): object {
  return { ...spec, data: { ...spec.data, PASSWORD: value } };
}

const APPLY = 'application/apply-patch+yaml';

/** The ways in which an object reaches the server: as a new one, or where a sealed one is. */
const WAYS: Record<
  string,
  { method: string; type: string; isNew: boolean; query?: string; body?: 'patch' | 'operations' }
> = {
  create: { method: 'POST', type: 'application/json', isNew: true, query: 'fieldValidation=Strict' },
  'create in YAML, with lenient validation': {
    method: 'POST',
    type: 'application/yaml',
    isNew: true,
    query: 'fieldValidation=Warn',
  },
  'create as a dry run': { method: 'POST', type: 'application/json', isNew: true, query: 'dryRun=All' },
  replace: { method: 'PUT', type: 'application/json', isNew: false },
  'merge patch': { method: 'PATCH', type: 'application/merge-patch+json', isNew: false, body: 'patch' },
  'JSON patch': { method: 'PATCH', type: 'application/json-patch+json', isNew: false, body: 'operations' },
  'server-side apply of a new one': { method: 'PATCH', type: APPLY, isNew: true, query: 'fieldManager=t&force=true' },
  'server-side apply': {
    method: 'PATCH',
    type: APPLY,
    isNew: false,
    query: 'fieldManager=t&force=true&fieldValidation=Strict',
  },
  'server-side apply as a dry run': {
    method: 'PATCH',
    type: APPLY,
    isNew: false,
    query: 'fieldManager=t&force=true&dryRun=All',
  },
};

class Sender {
  readonly #cluster: Cluster;
  readonly #collection: string;
  readonly sealed: Sent;

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#collection = `/apis/coffer.dev/v1/namespaces/${namespace}/encryptedsecrets`;
    this.sealed = sealedObject(namespace);
  }

  async begin(): Promise<void> {
    await this.#cluster.admin.expect('POST', this.#collection, this.sealed);
  }

  async send(way: (typeof WAYS)[string], spec: object): Promise<{ status: number; text: string }> {
    const name = way.isNew ? 'new' : this.sealed.metadata.name;
    const object = { ...this.sealed, metadata: { ...this.sealed.metadata, name }, spec };
    const path = way.method === 'POST' ? this.#collection : `${this.#collection}/${name}`;
    const { admin } = this.#cluster;
    if (way.method !== 'PUT') {
      const operations = [{ op: 'replace', path: '/spec', value: spec }];
      const body = way.body === 'operations' ? operations : way.body === 'patch' ? { spec } : object;
      return admin.ask(way.method, `${path}?${way.query ?? ''}`, body, way.type);
    }
    const { metadata } = JSON.parse(await admin.expect('GET', path)) as Sent;
    return admin.ask('PUT', path, { ...object, metadata });
  }

  /** Everything that the server keeps of the namespace, with managedFields. */
  async kept(namespace: string): Promise<string> {
    const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const texts = [this.#collection, events].map((path) => this.#cluster.admin.expect('GET', path));
    return (await Promise.all(texts)).join('\n');
  }
}

function sealedObject(namespace: string, entries = 1): Sent {
  const values = Object.fromEntries(Array.from({ length: entries }, (_, index) => [`ENTRY${index}`, 'value']));
  return JSON.parse(sealedManifest({ namespace, name: 'sealed', to: [testCluster('production')], data: values }));
}

async function place(t: TestContext) {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  await sodiumReady();
  const namespace = await newNamespace(t, cluster, 'crd');
  const text = `C4N4RY${randomBytes(6).toString('hex')}`;
  const number = 700_000_000_000 + randomBytes(4).readUInt32LE();
  const log = () => readFile(join(cluster.directory, 'logs', 'kube-apiserver.log'), 'utf8');
  const isLeaked = (answer: string) => answer.includes(text) || answer.includes(String(number));
  return { cluster, namespace, text, number, log, isLeaked };
}

test('whoever sends what is not sealed gets it back in no answer, Event, managed field or log of the API server', async (t) => {
  const scene = await place(t);
  if (scene === undefined) return;
  const { cluster, namespace, text, number, log, isLeaked } = scene;
  const sender = new Sender(cluster, namespace);
  await sender.begin();
  for (const [mistake, make] of Object.entries(MISTAKES)) {
    for (const [how, way] of Object.entries(WAYS)) {
      const { status, text: answer } = await sender.send(way, make(sender.sealed.spec, text, number));
      assert.ok(status >= 400, `${mistake}, ${how}: ${status}`);
      assert.ok(!isLeaked(answer), `${mistake}, ${how}: ${answer.slice(0, 500)}`);
    }
  }
  const kept = await sender.kept(namespace);
  assert.ok(kept.includes('managedFields') && kept.includes('"sealed"') && !kept.includes('"new"'));
  assert.ok(!isLeaked(kept));
  const lines = (await log()).split('\n');
  assert.deepEqual(lines.filter(isLeaked), []);
});

test('a field that no manifest has is refused or dropped, and repeated by nobody', async (t) => {
  const scene = await place(t);
  if (scene === undefined) return;
  const { cluster, namespace, text, log, isLeaked } = scene;
  const sender = new Sender(cluster, namespace);
  await sender.begin();
  for (const [mistake, make] of Object.entries(UNKNOWN)) {
    for (const [how, way] of Object.entries(WAYS)) {
      const { text: answer } = await sender.send(way, make(sender.sealed.spec, text));
      assert.ok(!isLeaked(answer), `${mistake}, ${how}: ${answer.slice(0, 500)}`);
      await cluster.kubectl('-n', namespace, 'delete', 'es', 'new', '--ignore-not-found');
    }
  }
  assert.ok(!isLeaked(await sender.kept(namespace)));
  assert.deepEqual((await log()).split('\n').filter(isLeaked), []);
});

test('values that are no map at all are refused', async (t) => {
  const scene = await place(t);
  if (scene === undefined) return;
  const sender = new Sender(scene.cluster, scene.namespace);
  await sender.begin();
  for (const values of ['text', 5, ['text'], [{ key: 'PASSWORD', value: 'text' }]]) {
    for (const [how, way] of Object.entries(WAYS)) {
      const { status } = await sender.send(way, { ...sender.sealed.spec, data: values });
      assert.ok(status >= 400, `${JSON.stringify(values)}, ${how}: ${status}`);
    }
  }
});

test('kubectl keeps nothing but sealed text in its annotation, and says what is wrong with the rest', async (t) => {
  const scene = await place(t);
  if (scene === undefined) return;
  const { cluster, namespace, text, isLeaked } = scene;
  const sealed = sealedObject(namespace);
  const file = join(cluster.directory, `${namespace}.json`);
  await writeFile(file, JSON.stringify({ ...sealed, spec: data(sealed.spec, text) }));
  for (const how of [[], ['--server-side'], ['--validate=warn'], ['--dry-run=server']]) {
    await assert.rejects(cluster.kubectl('apply', ...how, '-f', file), (error: Error & { stderr: string }) => {
      assert.match(error.stderr, /an entry is not sealed: run `coffer encrypt`/);
      return !isLeaked(error.stderr);
    });
  }
  await writeFile(file, JSON.stringify(sealed));
  await cluster.kubectl('apply', '-f', file);
  const kept = await cluster.kubectl('-n', namespace, 'get', 'es', '-o', 'json');
  const { items } = JSON.parse(kept) as { items: { metadata: { annotations: Record<string, string> } }[] };
  const applied = items[0]?.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'] ?? '';
  assert.deepEqual((JSON.parse(applied) as Sent).spec, sealed.spec);
});

test('a manifest may be as large as its format allows, and no larger', async (t) => {
  const scene = await place(t);
  if (scene === undefined) return;
  const { cluster, namespace } = scene;
  const collection = `/apis/coffer.dev/v1/namespaces/${namespace}/encryptedsecrets`;
  const large = sealedObject(namespace, 256);
  const [[id = '', stanzas = {}] = []] = Object.entries(large.spec.keys as Record<string, Record<string, string>>);
  const names = Array.from({ length: 64 }, (_, index) => `cluster-${index}`);
  const keys = { [id]: Object.fromEntries(names.map((name) => [name, stanzas.production])) };
  const spec = { ...large.spec, recipients: names, keys };
  await cluster.admin.expect('POST', collection, { ...large, spec });
  const { admin } = cluster;
  const more = { ...large, metadata: { ...large.metadata, name: 'more' } };
  const entries = { ...more, spec: { ...spec, data: { ...large.spec.data, ONE: large.spec.data.ENTRY0 } } };
  assert.equal((await admin.ask('POST', collection, entries)).status, 422);
  const recipients = { ...more, spec: { ...spec, recipients: [...names, 'one'] } };
  assert.equal((await admin.ask('POST', collection, recipients)).status, 422);
});
