import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { readKubernetesSecret } from './kubernetes-secret.ts';

function read(text: string) {
  return readKubernetesSecret(Buffer.from(text));
}

const HEAD = 'apiVersion: v1\nkind: Secret\n';

describe('a Kubernetes Secret on standard input', () => {
  test('gives name, type and the bytes of data; stringData wins; what is left out is named', () => {
    const secret = read(
      `${HEAD}metadata: {name: db, namespace: payments, labels: {a: b}}\ntype: Opaque\n` +
        'data: {user: YWRtaW4=, both: YQ==, bin: "AAH/"}\nstringData: {both: b, url: "postgres://"}\n',
    );
    assert.deepEqual([secret.name, secret.namespace, secret.type], ['db', 'payments', 'Opaque']);
    assert.deepEqual(
      [...secret.entries].map(([entry, value]) => [entry, value.toString('hex')]),
      [
        ['user', '61646d696e'],
        ['both', '62'],
        ['bin', '0001ff'],
        ['url', Buffer.from('postgres://').toString('hex')],
      ],
    );
    assert.deepEqual(secret.leftOut, ['metadata.labels']);
  });

  test('may be JSON', () => {
    const secret = read(JSON.stringify({ apiVersion: 'v1', kind: 'Secret', data: { __proto__x: 'YQ==' } }));
    assert.deepEqual([...secret.entries.keys()], ['__proto__x']);
  });

  test('an empty value and base64 over several lines are fine', () => {
    const secret = read(`${HEAD}data:\n  empty: ""\n  folded: |\n    YWJj\n    ZGVm\n`);
    assert.deepEqual([...secret.entries.values()].map(String), ['', 'abcdef']);
  });

  const refused: [string, string][] = [
    ['something else', 'apiVersion: v1\nkind: ConfigMap\ndata: {a: canary}\n'],
    ['data that is not base64', `${HEAD}data: {a: "canary!"}\n`],
    ['a number', `${HEAD}stringData: {port: 5432}\n`],
    ['broken YAML', `${HEAD}data: {a: canary\n  : [\n`],
    ['several documents', `${HEAD}---\n${HEAD}data: {a: canary}\n`],
  ];
  for (const [what, text] of refused) {
    test(`refuses ${what} without repeating it`, () => {
      assert.throws(
        () => read(text),
        (error) =>
          error instanceof CofferError &&
          error.code === 'KUBERNETES_SECRET' &&
          !JSON.stringify([error.message, error.advice, error.data]).includes('canary'),
      );
    });
  }
});
